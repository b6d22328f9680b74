//go:build unsigned

package compared

import "barnraise/client"

// unsigned leaves out what a signature costs.
var unsigned = []client.Option{client.WithoutReceipts()}

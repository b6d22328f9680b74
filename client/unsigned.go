//go:build unsigned

package client

// WithoutReceipts believes who answers, whatever receipt there is: for measuring what receipts cost, in builds made for that alone.
func WithoutReceipts() Option { return func(c *Client) { c.receiptless = true } }

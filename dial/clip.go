package dial

import (
	"errors"
	"strings"
)

// clipped cuts off an error that quotes what came in, which may be all of a header. On such an error nobody branches.
func clipped(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if len(text) <= MaxError {
		return err
	}
	return errors.New(strings.ToValidUTF8(text[:MaxError-len("...")], "") + "...")
}

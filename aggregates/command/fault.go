package command

import (
	"errors"

	"waybill/events/fault"
)

// isCode reports whether err carries a fault with a code.
func isCode(err error, code string) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Code == code
}

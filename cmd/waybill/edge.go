package main

import (
	"fmt"
	"net/http"

	"waybill/aggregates/access/forwarded"
	"waybill/aggregates/commandapi/upload"
)

// edgeFlags say what the server takes from outside. The zero value takes what the
// defaults of the parts take.
type edgeFlags struct {
	MaxImport int64 `default:"512" placeholder:"MIB" help:"Largest delivery file taken over HTTP, in MiB (${default}). All that are under way at one server take at most eight times that on disk, one organisation's twice."`

	TrustedProxy       []string `placeholder:"CIDR" help:"Network, or address, of proxies that say from whom they have a request; repeat for more. Their client's address is what limits and the audit go by. Default: nobody is believed."`
	TrustedProxyHeader string   `default:"X-Forwarded-For" enum:"X-Forwarded-For,Forwarded" help:"The header in which they say so (${enum}; ${default}). The other one is not read."`
}

// behind makes a handler see the clients of trusted proxies.
func (f edgeFlags) behind(h http.Handler) (http.Handler, error) {
	proxies, err := forwarded.New(f.TrustedProxyHeader, f.TrustedProxy)
	if err != nil {
		return nil, err
	}
	return proxies.Handler(h), nil
}

// Validate is called by the parser of flags.
func (f edgeFlags) Validate() error {
	if _, err := forwarded.New(f.TrustedProxyHeader, f.TrustedProxy); err != nil {
		return fmt.Errorf("--trusted-proxy: %w", err)
	}
	return nil
}

func (f edgeFlags) uploads() upload.Config { return upload.Config{MaxFile: f.MaxImport << 20} }

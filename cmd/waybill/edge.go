package main

import (
	"waybill/aggregates/commandapi/upload"
)

// edgeFlags say what the server takes from outside. The zero value takes what the
// defaults of the parts take.
type edgeFlags struct {
	MaxImport int64 `default:"512" placeholder:"MIB" help:"Largest delivery file taken over HTTP, in MiB (${default}). All that are under way take at most eight times that on disk, one organisation's twice."`
}

func (f edgeFlags) uploads() upload.Config { return upload.Config{MaxFile: f.MaxImport << 20} }

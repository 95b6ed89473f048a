package node

import (
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // registers the codec that everything but frames goes through
	"google.golang.org/grpc/mem"
)

// frame is a response that is already encoded. Events go from the store to the wire as frames: building protobuf
// messages for them would cost more than all the rest of reading them.
type frame struct{ buffer mem.Buffer }

// frameCodec is the protobuf codec that lets frames pass.
type frameCodec struct{}

func (frameCodec) Name() string { return "proto" }

func (frameCodec) Marshal(v any) (mem.BufferSlice, error) {
	if f, ok := v.(*frame); ok {
		return mem.BufferSlice{f.buffer}, nil
	}
	return encoding.GetCodecV2("proto").Marshal(v)
}

func (frameCodec) Unmarshal(data mem.BufferSlice, v any) error {
	return encoding.GetCodecV2("proto").Unmarshal(data, v)
}

package store

import (
	"fmt"

	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // the codec that writes requests
	"google.golang.org/grpc/mem"
)

// readCodec writes requests as protobuf does and reads answers into a [frame].
type readCodec struct{}

// Name is protobuf's: on the wire nothing differs.
func (readCodec) Name() string { return "proto" }

func (readCodec) Marshal(v any) (mem.BufferSlice, error) {
	return encoding.GetCodecV2("proto").Marshal(v)
}

func (readCodec) Unmarshal(data mem.BufferSlice, v any) error {
	f, ok := v.(*frame)
	if !ok {
		return fmt.Errorf("event store: cannot read an answer into %T", v)
	}
	return f.decode(data.Materialize())
}

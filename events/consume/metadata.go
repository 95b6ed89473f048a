package consume

import (
	"strconv"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"
	"github.com/go-json-experiment/json"

	"waybill/events"
)

// The metadata keys under which a message of one event tells where it is from.
// The correlation id has Watermill's own key.
const (
	MetadataStream   = "stream"
	MetadataRevision = "revision" // decimal, 0-based
	MetadataPosition = "position" // as events.Position writes itself
	MetadataType     = "type"
	MetadataRetries  = "retries" // with a group: how often it came before, decimal
)

// envelope is what of an event's metadata matters here: the correlation id that
// every event of waybill has, and what [Publisher] keeps of a message.
type envelope struct {
	CorrelationID string            `json:"correlation_id,omitzero"`
	MessageUUID   string            `json:"message_uuid,omitzero"`
	Message       map[string]string `json:"message,omitzero"`
}

// restoreMetadata fills in a message's metadata from its event.
func restoreMetadata(msg *message.Message, rec events.Record) {
	var e envelope
	if json.Unmarshal(rec.Metadata, &e) == nil {
		for k, v := range e.Message {
			msg.Metadata.Set(k, v)
		}
		if e.MessageUUID != "" {
			msg.UUID = e.MessageUUID
		}
		if e.CorrelationID != "" {
			middleware.SetCorrelationID(e.CorrelationID, msg)
		}
	}
	msg.Metadata.Set(MetadataStream, rec.Stream)
	msg.Metadata.Set(MetadataRevision, strconv.FormatUint(rec.Revision, 10))
	msg.Metadata.Set(MetadataPosition, rec.Position.String())
	msg.Metadata.Set(MetadataType, rec.Type)
}

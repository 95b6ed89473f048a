package consume

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/ThreeDotsLabs/watermill/message"

	"waybill/events/store"
)

// errRefused is why an event is handed out again.
var errRefused = errors.New("the message was refused")

// consume delivers a stream to a member of the group.
func (s *Subscriber) consume(ctx context.Context, topic string, out chan<- *message.Message) error {
	return s.cfg.Store.Consume(ctx, s.group(topic), func(held context.Context, d store.Delivery) error {
		msg := eventMessage(d.Record)
		msg.Metadata.Set(MetadataRetries, strconv.Itoa(d.Retries))
		v := new(verdict)
		acked, err := deliverOnce(ctx, context.WithValue(held, verdictKey{}, v), out, msg)
		switch {
		case acked || err != nil:
			return err
		case v.park.Load() != nil:
			return fmt.Errorf("%w: %w", store.ErrPark, *v.park.Load())
		}
		return errRefused
	})
}

// verdict is what a handler wants done with a message that it refuses.
type verdict struct{ park atomic.Pointer[error] }

type verdictKey struct{}

// Park has the event of a group's message parked, for this reason, when the
// message is refused: a Nack that follows sets it aside in the store instead of
// bringing it again, and the next event comes. An operator can have parked
// events replayed; they come out of order then. It reports false, and does
// nothing, for a message that did not come from a [Subscriber] with a group.
func Park(msg *message.Message, cause error) bool {
	v, ok := msg.Context().Value(verdictKey{}).(*verdict)
	if ok {
		v.park.Store(&cause)
	}
	return ok
}

// ParkPermanent is Router middleware for a [Subscriber] with a group: an event
// that its handler cannot ever handle (an error marked [Permanent], invalid
// data, a panic) is parked; any other error brings it again.
func ParkPermanent(next message.HandlerFunc) message.HandlerFunc {
	return func(msg *message.Message) ([]*message.Message, error) {
		out, err := next(msg)
		if err != nil && isPermanent(err) {
			Park(msg, err)
		}
		return out, err
	}
}

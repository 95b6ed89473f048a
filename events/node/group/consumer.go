package group

import "errors"

// The reasons for which a consumer is turned away or dropped.
var (
	ErrFull    = errors.New("the group has as many consumers as it may have")
	ErrDropped = errors.New("the group was changed or deleted")
	ErrStopped = errors.New("the node is stopping")
)

// Consumer is one connection to a group.
type Consumer struct {
	// Messages are to be sent on, in this order.
	Messages <-chan *Message

	out      chan *Message
	slots    int
	from     string
	inFlight map[[16]byte][]*Message
	held     int
	total    int64
	dropped  chan struct{}
	reason   error
}

// Dropped is closed when the group lets the consumer go; Reason then says why.
func (c *Consumer) Dropped() <-chan struct{} { return c.dropped }

// Reason is ErrDropped or ErrStopped once Dropped is closed.
func (c *Consumer) Reason() error { return c.reason }

func newConsumer(slots int, from string) *Consumer {
	out := make(chan *Message, slots)
	return &Consumer{
		Messages: out, out: out, slots: slots, from: from,
		inFlight: map[[16]byte][]*Message{}, dropped: make(chan struct{}),
	}
}

// give hands a message over. There is room: no consumer holds more than its slots.
func (c *Consumer) give(m *Message) {
	id := m.original().ID
	c.inFlight[id] = append(c.inFlight[id], m)
	c.held++
	c.total++
	c.out <- m
}

// take ends the consumer's hold on the message with this id, nil when it holds none.
func (c *Consumer) take(id [16]byte) *Message {
	held := c.inFlight[id]
	if len(held) == 0 {
		return nil
	}
	if len(held) == 1 {
		delete(c.inFlight, id)
	} else {
		c.inFlight[id] = held[1:]
	}
	c.held--
	return held[0]
}

// takeAll ends the consumer's hold on the messages for which which is true.
func (c *Consumer) takeAll(which func(*Message) bool) (taken []*Message) {
	for id, held := range c.inFlight {
		var kept []*Message
		for _, m := range held {
			if which(m) {
				taken = append(taken, m)
			} else {
				kept = append(kept, m)
			}
		}
		if len(kept) == 0 {
			delete(c.inFlight, id)
		} else {
			c.inFlight[id] = kept
		}
	}
	c.held -= len(taken)
	return taken
}

func (c *Consumer) drop(reason error) {
	c.reason = reason
	close(c.dropped)
}

package group

import "context"

// Info is what a group tells about itself.
type Info struct {
	Key         Key
	Settings    Settings
	Total       int64  // events read since the node was opened
	Stored      uint64 // position or revision below which everything is dealt with, as it is stored
	LastKnown   int64  // last revision or position there is; -1 = none
	Parked      int64
	Waiting     int
	Retrying    int
	Outstanding int // events that consumers hold
	Consumers   []ConsumerInfo
}

// ConsumerInfo is what a group tells about a consumer.
type ConsumerInfo struct {
	From     string
	Total    int64
	Free     int
	InFlight int
}

// Info describes the group as it is now.
func (g *Group) Info(ctx context.Context) (Info, error) {
	parked, err := g.deps.Journal.Head(ctx, g.key.ParkedStream())
	if err != nil {
		return Info{}, err
	}
	i := Info{Key: g.key, LastKnown: -1}
	if g.key.Stream == All {
		if durable, _ := g.deps.Journal.Durable(); durable > 0 {
			i.LastKnown = int64(durable)
		}
	} else {
		head, err := g.deps.Journal.Head(ctx, g.key.Stream)
		if err != nil {
			return Info{}, err
		}
		i.LastKnown = head.Last
	}
	if !parked.SoftDeleted() {
		i.Parked = max(parked.Last-parked.First()+1, 0)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	i.Settings, i.Total, i.Stored, i.Waiting = g.settings, g.total, g.stored, len(g.waiting)
	for _, m := range g.waiting {
		if m.Retries > 0 {
			i.Retrying++
		}
	}
	for _, c := range g.consumers {
		i.Outstanding += c.held
		i.Consumers = append(i.Consumers, ConsumerInfo{From: c.from, Total: c.total, Free: c.slots - c.held, InFlight: c.held})
	}
	return i, nil
}

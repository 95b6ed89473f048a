package main

import (
	"waybill/aggregates/policies"
	"waybill/events"
	"waybill/events/consume"
	"waybill/projections/deadlines"
)

// deadlines returns the consumer that keeps what ends by itself, and the clock
// that sleeps until it does, which every commit of the consumer wakes.
func (s *system) deadlines() (consume.Config, *policies.Clock, error) {
	keep, err := deadlines.New(deadlines.Config{Codec: s.codec, Pool: s.pools.Projector, Owner: s.owner})
	if err != nil {
		return consume.Config{}, nil, err
	}
	clock, err := policies.NewClock(policies.ClockConfig{Commands: s.commands, Deadlines: keep, Now: s.clock.Now, After: s.clock.after, Logger: s.log})
	if err != nil {
		return consume.Config{}, nil, err
	}
	return consume.Config{
		Name: deadlines.Name, Prefixes: deadlines.Prefixes(), Log: keep.Log(), Handler: keep.Handle,
		Committed: func(events.Position) { clock.Wake() },
	}, clock, nil
}

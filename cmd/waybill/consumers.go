package main

import (
	"cmp"
	"time"

	"waybill/aggregates/policies"
	"waybill/events"
	"waybill/events/consume"
	"waybill/projections"
	"waybill/projections/readmodel"
)

// pace is how patient those are who follow the log, and who wait for them. The zero
// value is what suits a server.
type pace struct {
	patience time.Duration // of policies with the command behind an event; zero: theirs
	progress time.Duration // between two notes of how far a consumer is without events; zero: 1 s
	limit    time.Duration // of a wait for the read models, or for an answer of a store; zero: that of each
}

// consumers returns the layer in which everything follows the log: the read
// models, and the policies that issue commands.
func (s *system) consumers() (layer, error) {
	react, err := policies.New(policies.Config{
		Commands: s.commands, Codec: s.codec, Grants: s.sight(), Patience: s.pace.patience, Logger: s.log,
	})
	if err != nil {
		return nil, err
	}
	move, err := policies.NewMerges(policies.MergesConfig{Commands: s.commands, Codec: s.codec, Tagged: s.sight(), Patience: s.pace.patience, Logger: s.log})
	if err != nil {
		return nil, err
	}
	clients, err := policies.NewClients(policies.ClientsConfig{Commands: s.commands, Codec: s.codec, Sight: s.sight(), Sessions: s.access, Logger: s.log})
	if err != nil {
		return nil, err
	}
	due, clock, err := s.deadlines()
	if err != nil {
		return nil, err
	}
	var layers []layer
	all := []consume.Config{
		due,
		{Name: readmodel.Name, Prefixes: events.AggregatePrefixes(), Log: s.model.Log(), Handler: s.model.Handle},
		{Name: policies.Name, Prefixes: policies.Prefixes(), Handler: react.Handle},
		{Name: policies.MergesName, Prefixes: policies.MergesPrefixes(), Handler: move.Handle},
		{Name: policies.ClientsName, Prefixes: policies.ClientsPrefixes(), Handler: clients.Handle},
	}
	with := map[string]layer{due.Name: clock.Run} // who keeps the deadlines keeps the time
	if s.mailing.on {
		outbox, sender, err := s.mails()
		if err != nil {
			return nil, err
		}
		all = append(all, outbox)
		with[outbox.Name] = sender.Run // and who fills the outbox empties it
	}
	for _, c := range all {
		if c.Log == nil { // it has no rows, just its progress
			if c.Log, err = projections.NewLog(projections.LogConfig{Name: c.Name, Pool: s.pools.Projector, Owner: s.owner}); err != nil {
				return nil, err
			}
		}
		c.Store, c.Logger, c.Registry, c.Progress = s.store, s.log, s.registry, cmp.Or(s.pace.progress, time.Second)
		consumer, err := consume.New(c)
		if err != nil {
			return nil, err
		}
		run := layer(consumer.Run)
		if other := with[c.Name]; other != nil {
			run = alongside(run, other)
		}
		e := &election{name: c.Name, pool: s.pools.Projector, run: run, log: s.log, pause: time.Second, check: 5 * time.Second}
		layers = append(layers, e.Run)
	}
	return alongside(layers...), nil
}

func (s *system) sight() sight {
	return sight{readmodel.Sight{Pool: s.pools.Identity, Progress: s.progress, Now: s.clock.Now}, s.pools.Projector}
}

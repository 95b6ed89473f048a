package main

import (
	"context"
	"fmt"
	"io"

	"waybill/projections"
)

// linkFlags say where links lead.
type linkFlags struct {
	PublicURL string `name:"public-url" placeholder:"URL" help:"Where people reach the server. Default: where the one that runs on this data says that it is reached."`
}

// whereUnknown is where serve listens when it is not told otherwise.
const whereUnknown = "http://127.0.0.1:8080"

// base returns what links begin with, and whether that is a guess because nobody
// says.
func (f linkFlags) base(ctx context.Context, s *system) (base string, guessed bool, err error) {
	if f.PublicURL != "" {
		return f.PublicURL, false, checkPublicURL(f.PublicURL)
	}
	if s.storage.server == nil { // with a Postgres of one's own, no other process is a server
		running, err := projections.Servers(ctx, s.pools.Projector)
		if err != nil {
			return "", false, err
		}
		if len(running) > 0 {
			return running[0].URL, false, nil
		}
	}
	return whereUnknown, true, nil
}

// noteGuess says, once a link was printed, that where it leads was guessed. An
// error stands alone.
func noteGuess(notes io.Writer, guessed bool, err error) error {
	if guessed && err == nil {
		_, err = fmt.Fprintf(notes, "waybill: no server runs on this data: the link is for one that listens on %s, say --public-url when it will be elsewhere\n", whereUnknown)
	}
	return err
}

// presence is how others on the same data learn where the server is reached.
func (s *system) presence() (*projections.Presence, error) {
	return projections.NewPresence(projections.PresenceConfig{
		Pool: s.pools.Projector, Logger: s.log, Alone: s.storage.server != nil,
		Server: projections.Server{Owner: s.owner, URL: s.mailing.base, Public: s.mailing.public},
	})
}

package group

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"waybill/events/node/filter"
)

// All is the stream of groups on the whole log.
const All = "$all"

// Key names a group.
type Key struct {
	Stream string // All for the whole log
	Name   string
}

// ParkedStream is where the group's parked events are.
func (k Key) ParkedStream() string {
	return "$persistentsubscription-" + k.Stream + "::" + k.Name + "-parked"
}

const statePrefix = "group/"

// state is the name under which the group is stored; no two keys share one.
func (k Key) state() string {
	return statePrefix + strconv.Itoa(len(k.Stream)) + ":" + k.Stream + ":" + k.Name
}

// The ways to choose who gets the next event.
const (
	RoundRobin       = "RoundRobin"       // one after the other
	DispatchToSingle = "DispatchToSingle" // one until it is full, then the next
	Pinned           = "Pinned"           // the same consumer for the same stream, as long as consumers stay the same
)

// Millis is a time span in milliseconds.
type Millis int64

// Duration is the span as the standard library has it.
func (m Millis) Duration() time.Duration { return time.Duration(m) * time.Millisecond }

// Settings are what the creator of a group decides.
type Settings struct {
	ResolveLinks    bool    `json:"resolve_links,omitzero"`
	ExtraStatistics bool    `json:"extra_statistics,omitzero"`
	MaxRetries      int32   `json:"max_retries"`     // an event tried more often is parked
	MinCheckpoint   int32   `json:"min_checkpoint"`  // events dealt with before the position is stored
	MaxCheckpoint   int32   `json:"max_checkpoint"`  // events dealt with after which it is stored at once; 0 = never
	MaxSubscribers  int32   `json:"max_subscribers"` // 0 = any number
	LiveBuffer      int32   `json:"live_buffer"`
	ReadBatch       int32   `json:"read_batch"`       // events read at a time
	HistoryBuffer   int32   `json:"history_buffer"`   // events read ahead of the consumers
	MessageTimeout  Millis  `json:"message_timeout"`  // 0 = an event may take for ever
	CheckpointAfter Millis  `json:"checkpoint_after"` // how long the position may stay unstored
	Strategy        string  `json:"strategy"`
	Start           string  `json:"start"` // as the creator put it, for information
	Filter          *Filter `json:"filter,omitzero"`
}

// Filter is what a group on the whole log wants of it.
type Filter struct {
	ByType   bool     `json:"by_type,omitzero"`
	Prefixes []string `json:"prefixes,omitzero"`
	Regex    string   `json:"regex,omitzero"`
}

// ErrSettings means that a group cannot work as its creator wants.
var ErrSettings = errors.New("invalid settings")

func (s *Settings) validate() error {
	switch {
	case s.Strategy != RoundRobin && s.Strategy != DispatchToSingle && s.Strategy != Pinned:
		return fmt.Errorf("%w: consumer strategy %q does not exist", ErrSettings, s.Strategy)
	case s.ReadBatch < 1 || s.HistoryBuffer < 1 || s.LiveBuffer < 1:
		return fmt.Errorf("%w: buffer sizes must be above zero", ErrSettings)
	case s.ReadBatch >= s.HistoryBuffer:
		return fmt.Errorf("%w: the read batch size (%d) must be below the history buffer size (%d)", ErrSettings, s.ReadBatch, s.HistoryBuffer)
	case s.MaxRetries < 0 || s.MaxSubscribers < 0 || s.MinCheckpoint < 0 || s.MaxCheckpoint < 0 || s.MessageTimeout < 0 || s.CheckpointAfter < 0:
		return fmt.Errorf("%w: numbers must not be negative", ErrSettings)
	case s.MaxCheckpoint > 0 && s.MinCheckpoint > s.MaxCheckpoint:
		return fmt.Errorf("%w: the lower checkpoint bound (%d) is above the upper (%d)", ErrSettings, s.MinCheckpoint, s.MaxCheckpoint)
	}
	return nil
}

func (s *Settings) filter() (*filter.Filter, error) {
	if s.Filter == nil {
		return nil, nil
	}
	f, err := filter.New(s.Filter.ByType, s.Filter.Prefixes, s.Filter.Regex)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSettings, err)
	}
	return f, nil
}

// document is how a group is stored.
type document struct {
	Stream   string   `json:"stream"`
	Name     string   `json:"name"`
	Settings Settings `json:"settings"`
	Next     uint64   `json:"next,string"` // revision or position of the first event not dealt with
}

func (d *document) encode() ([]byte, error) { return json.Marshal(d) }

func decode(b []byte) (d document, err error) { return d, json.Unmarshal(b, &d) }

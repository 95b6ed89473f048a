package node

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"

	"waybill/events/node/group"
)

// strategyName is the name behind the number that clients send.
func strategyName(n int32) string {
	switch n {
	case int32(persistent.CreateReq_DispatchToSingle):
		return group.DispatchToSingle
	case int32(persistent.CreateReq_RoundRobin):
		return group.RoundRobin
	case int32(persistent.CreateReq_Pinned):
		return group.Pinned
	}
	return "number " + strconv.Itoa(int(n))
}

// creation is a Create request, understood.
type creation struct {
	key      group.Key
	settings group.Settings
	next     uint64
}

func (s *persistentService) parseCreate(ctx context.Context, o *persistent.CreateReq_Options) (c creation, err error) {
	set := o.GetSettings()
	if set == nil {
		return c, invalid("persistent subscription: no settings were given")
	}
	c.settings = parseSettings(set)
	c.settings.Strategy = set.GetConsumerStrategy()
	if c.settings.Strategy == "" {
		//lint:ignore SA1019 what this client sends
		c.settings.Strategy = strategyName(int32(set.GetNamedConsumerStrategy()))
	}
	id, all := o.GetStream().GetStreamIdentifier(), o.GetAll()
	if o.GetStreamOption() == nil {
		//lint:ignore SA1019 what older clients send
		id = o.GetStreamIdentifier()
	}
	if c.key, err = groupKey(id, all != nil, o.GetGroupName()); err != nil {
		return c, err
	}
	if all != nil {
		return c, s.startInAll(&c, all)
	}
	return c, s.startInStream(ctx, &c, o)
}

// startInStream finds where a group on a stream begins.
func (s *persistentService) startInStream(ctx context.Context, c *creation, o *persistent.CreateReq_Options) error {
	switch r := o.GetStream().GetRevisionOption().(type) {
	case *persistent.CreateReq_StreamOptions_Revision:
		c.next = r.Revision
	case *persistent.CreateReq_StreamOptions_End:
		c.next = math.MaxUint64
	case *persistent.CreateReq_StreamOptions_Start:
	default:
		//lint:ignore SA1019 what older clients send
		c.next = o.GetSettings().GetRevision()
	}
	if c.settings.Start = strconv.FormatUint(c.next, 10); c.next > math.MaxInt64 {
		head, err := s.node.journal.Head(ctx, c.key.Stream)
		if err != nil {
			return failure(err)
		}
		c.next, c.settings.Start = uint64(head.Last+1), "-1"
	}
	return nil
}

// startInAll finds where a group on the whole log begins, and what it wants of it.
func (s *persistentService) startInAll(c *creation, all *persistent.CreateReq_AllOptions) error {
	switch p := all.GetAllOption().(type) {
	case *persistent.CreateReq_AllOptions_Position:
		c.next = p.Position.GetCommitPosition()
		c.settings.Start = positionText(c.next)
	case *persistent.CreateReq_AllOptions_Start:
		c.settings.Start = positionText(0)
	default:
		durable, _ := s.node.journal.Durable()
		c.next, c.settings.Start = durable+1, "C:-1/P:-1"
	}
	switch f := all.GetFilter().GetFilter().(type) {
	case *persistent.CreateReq_AllOptions_FilterOptions_EventType:
		c.settings.Filter = &group.Filter{ByType: true, Prefixes: f.EventType.GetPrefix(), Regex: f.EventType.GetRegex()}
	case *persistent.CreateReq_AllOptions_FilterOptions_StreamIdentifier:
		c.settings.Filter = &group.Filter{Prefixes: f.StreamIdentifier.GetPrefix(), Regex: f.StreamIdentifier.GetRegex()}
	}
	return nil
}

// wireSettings is what creations and updates have in common.
type wireSettings interface {
	GetResolveLinks() bool
	GetExtraStatistics() bool
	GetMaxRetryCount() int32
	GetMinCheckpointCount() int32
	GetMaxCheckpointCount() int32
	GetMaxSubscriberCount() int32
	GetLiveBufferSize() int32
	GetReadBatchSize() int32
	GetHistoryBufferSize() int32
	GetMessageTimeoutTicks() int64
	GetMessageTimeoutMs() int32
	GetCheckpointAfterTicks() int64
	GetCheckpointAfterMs() int32
}

func parseSettings(w wireSettings) group.Settings {
	span := func(ticks int64, ms int32) group.Millis {
		return group.Millis(ticks/10_000) + group.Millis(ms) // one of them is zero
	}
	return group.Settings{
		ResolveLinks: w.GetResolveLinks(), ExtraStatistics: w.GetExtraStatistics(), MaxRetries: w.GetMaxRetryCount(),
		MinCheckpoint: w.GetMinCheckpointCount(), MaxCheckpoint: w.GetMaxCheckpointCount(), MaxSubscribers: w.GetMaxSubscriberCount(),
		LiveBuffer: w.GetLiveBufferSize(), ReadBatch: w.GetReadBatchSize(), HistoryBuffer: w.GetHistoryBufferSize(),
		MessageTimeout:  span(w.GetMessageTimeoutTicks(), w.GetMessageTimeoutMs()),
		CheckpointAfter: span(w.GetCheckpointAfterTicks(), w.GetCheckpointAfterMs()),
	}
}

func positionText(p uint64) string { return fmt.Sprintf("C:%d/P:%d", p, p) }

func infoToWire(i *group.Info) *persistent.SubscriptionInfo {
	number := func(n int64) string {
		switch {
		case n < 0:
			return ""
		case i.Key.Stream == group.All:
			return positionText(uint64(n))
		}
		return strconv.FormatInt(n, 10)
	}
	out := &persistent.SubscriptionInfo{
		EventSource: i.Key.Stream, GroupName: i.Key.Name, Status: "Live",
		TotalItems: i.Total, LastCheckpointedEventPosition: number(int64(i.Stored) - 1), LastKnownEventPosition: number(i.LastKnown),
		ResolveLinkTos: i.Settings.ResolveLinks, StartFrom: i.Settings.Start,
		MessageTimeoutMilliseconds: int32(i.Settings.MessageTimeout),
		ExtraStatistics:            i.Settings.ExtraStatistics, MaxRetryCount: i.Settings.MaxRetries,
		LiveBufferSize: i.Settings.LiveBuffer, BufferSize: i.Settings.HistoryBuffer, ReadBatchSize: i.Settings.ReadBatch,
		CheckPointAfterMilliseconds: int32(i.Settings.CheckpointAfter),
		MinCheckPointCount:          i.Settings.MinCheckpoint, MaxCheckPointCount: i.Settings.MaxCheckpoint,
		ReadBufferCount: int32(i.Waiting - i.Retrying), RetryBufferCount: int32(i.Retrying),
		TotalInFlightMessages: int32(i.Outstanding), OutstandingMessagesCount: int32(i.Outstanding),
		NamedConsumerStrategy: i.Settings.Strategy, MaxSubscriberCount: i.Settings.MaxSubscribers, ParkedMessageCount: i.Parked,
	}
	for _, c := range i.Consumers {
		out.Connections = append(out.Connections, &persistent.SubscriptionInfo_ConnectionInfo{
			From: c.From, TotalItems: c.Total, AvailableSlots: int32(c.Free), InFlightMessages: int32(c.InFlight), ConnectionName: c.From,
		})
	}
	return out
}

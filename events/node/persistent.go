package node

import (
	"context"
	"errors"
	"io"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"google.golang.org/grpc/peer"

	"waybill/events/node/group"
)

// persistentService is the protocol's service of persistent subscriptions.
type persistentService struct {
	persistent.UnimplementedPersistentSubscriptionsServer
	node *Node
}

// Read connects a consumer to a group: events go out, acknowledgements come in.
func (s *persistentService) Read(call persistent.PersistentSubscriptions_ReadServer) error {
	first, err := call.Recv()
	if err != nil {
		return err
	}
	o := first.GetOptions()
	if o == nil || o.GetBufferSize() <= 0 || o.GetBufferSize() > 1<<16 {
		return invalid("persistent subscription: the first message must be options with a buffer size from 1 to 65536")
	}
	_, all := o.GetStreamOption().(*persistent.ReadReq_Options_All)
	key, err := groupKey(o.GetStreamIdentifier(), all, o.GetGroupName())
	if err != nil {
		return err
	}
	g, err := s.node.groups.Get(key)
	if err != nil {
		return refuseGroup(call, key, err)
	}
	consumer, err := g.Join(int(o.GetBufferSize()), callerOf(call.Context())+" "+s.node.cfg.NewID().String())
	if err != nil {
		return refuseGroup(call, key, err)
	}
	defer g.Leave(consumer)
	if err := call.Send(&persistent.ReadResp{Content: &persistent.ReadResp_SubscriptionConfirmation_{
		SubscriptionConfirmation: &persistent.ReadResp_SubscriptionConfirmation{SubscriptionId: key.Stream + "::" + key.Name},
	}}); err != nil {
		return err
	}
	_, stringIDs := o.GetUuidOption().GetContent().(*persistent.ReadReq_Options_UUIDOption_String_)
	return refuseGroup(call, key, s.consume(call, g, consumer, &encoder{stringIDs: stringIDs, withRetry: true}))
}

func (s *persistentService) consume(call persistent.PersistentSubscriptions_ReadServer, g *group.Group, c *group.Consumer, e *encoder) error {
	heard := make(chan error, 1)
	go func() { heard <- hear(call, g, c) }()
	for {
		select {
		case m := <-c.Messages:
			e.retries = m.Retries
			if err := call.SendMsg(e.frame(m.Event, m.Link)); err != nil {
				return err
			}
		case <-c.Dropped():
			return c.Reason()
		case <-s.node.stopping:
			return errStopping
		case err := <-heard:
			return err
		case <-call.Context().Done():
			return call.Context().Err()
		}
	}
}

// hear passes on what the consumer says about its events, until it says no more.
func hear(call persistent.PersistentSubscriptions_ReadServer, g *group.Group, c *group.Consumer) error {
	for {
		req, err := call.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch m := req.GetContent().(type) {
		case *persistent.ReadReq_Ack_:
			ids, err := idsOf(m.Ack.GetIds())
			if err != nil {
				return err
			}
			g.Ack(c, ids)
		case *persistent.ReadReq_Nack_:
			ids, err := idsOf(m.Nack.GetIds())
			if err != nil {
				return err
			}
			g.Nack(c, ids, actionOf(m.Nack.GetAction()), m.Nack.GetReason())
		default:
			return invalid("persistent subscription: options were sent twice")
		}
	}
}

func actionOf(a persistent.ReadReq_Nack_Action) group.Action {
	switch a {
	case persistent.ReadReq_Nack_Park:
		return group.Park
	case persistent.ReadReq_Nack_Skip:
		return group.Skip
	case persistent.ReadReq_Nack_Stop:
		return group.Stop
	}
	return group.Retry // Retry, and Unknown too
}

func idsOf(in []*shared.UUID) ([][16]byte, error) {
	out := make([][16]byte, len(in))
	for i, id := range in {
		parsed, err := idOf(id)
		if err != nil {
			return nil, err
		}
		out[i] = parsed
	}
	return out, nil
}

// groupKey names a group as a request does.
func groupKey(id *shared.StreamIdentifier, all bool, name string) (group.Key, error) {
	key := group.Key{Stream: string(id.GetStreamName()), Name: name}
	if all {
		key.Stream = group.All
	}
	if key.Stream == "" || key.Name == "" {
		return key, invalid("persistent subscription: the stream or the group was not named")
	}
	return key, nil
}

func callerOf(ctx context.Context) string {
	if p, ok := peer.FromContext(ctx); ok {
		return p.Addr.String()
	}
	return "unknown"
}

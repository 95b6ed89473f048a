package node

import (
	"context"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"

	"waybill/events/node/group"
)

// Create makes a group.
func (s *persistentService) Create(ctx context.Context, req *persistent.CreateReq) (*persistent.CreateResp, error) {
	c, err := s.parseCreate(ctx, req.GetOptions())
	if err != nil {
		return nil, err
	}
	if err := s.node.groups.Create(ctx, c.key, c.settings, c.next); err != nil {
		return nil, refuseGroup(unaryTrailers{ctx}, c.key, err)
	}
	return &persistent.CreateResp{}, nil
}

// Update changes the settings of a group, which goes on from where it is.
func (s *persistentService) Update(ctx context.Context, req *persistent.UpdateReq) (*persistent.UpdateResp, error) {
	o := req.GetOptions()
	_, all := o.GetStreamOption().(*persistent.UpdateReq_Options_All)
	id := o.GetStream().GetStreamIdentifier()
	if o.GetStreamOption() == nil {
		//lint:ignore SA1019 what older clients send
		id = o.GetStreamIdentifier()
	}
	key, err := groupKey(id, all, o.GetGroupName())
	if err != nil {
		return nil, err
	}
	if o.GetSettings() == nil {
		return nil, invalid("persistent subscription: no settings were given")
	}
	settings := parseSettings(o.GetSettings())
	settings.Strategy = strategyName(int32(o.GetSettings().GetNamedConsumerStrategy()))
	if err := s.node.groups.Update(ctx, key, settings); err != nil {
		return nil, refuseGroup(unaryTrailers{ctx}, key, err)
	}
	return &persistent.UpdateResp{}, nil
}

// Delete ends a group.
func (s *persistentService) Delete(ctx context.Context, req *persistent.DeleteReq) (*persistent.DeleteResp, error) {
	o := req.GetOptions()
	_, all := o.GetStreamOption().(*persistent.DeleteReq_Options_All)
	key, err := groupKey(o.GetStreamIdentifier(), all, o.GetGroupName())
	if err != nil {
		return nil, err
	}
	if err := s.node.groups.Delete(ctx, key); err != nil {
		return nil, refuseGroup(unaryTrailers{ctx}, key, err)
	}
	return &persistent.DeleteResp{}, nil
}

// ReplayParked hands parked events out again.
func (s *persistentService) ReplayParked(ctx context.Context, req *persistent.ReplayParkedReq) (*persistent.ReplayParkedResp, error) {
	o := req.GetOptions()
	_, all := o.GetStreamOption().(*persistent.ReplayParkedReq_Options_All)
	key, err := groupKey(o.GetStreamIdentifier(), all, o.GetGroupName())
	if err != nil {
		return nil, err
	}
	stopAt := int64(-1)
	if at, ok := o.GetStopAtOption().(*persistent.ReplayParkedReq_Options_StopAt); ok {
		if stopAt = at.StopAt; stopAt < 0 {
			return nil, invalid("persistent subscription: the parked event to stop at must not be negative")
		}
	}
	g, err := s.node.groups.Get(key)
	if err == nil {
		err = g.ReplayParked(ctx, stopAt)
	}
	if err != nil {
		return nil, refuseGroup(unaryTrailers{ctx}, key, err)
	}
	return &persistent.ReplayParkedResp{}, nil
}

// GetInfo describes a group.
func (s *persistentService) GetInfo(ctx context.Context, req *persistent.GetInfoReq) (*persistent.GetInfoResp, error) {
	o := req.GetOptions()
	_, all := o.GetStreamOption().(*persistent.GetInfoReq_Options_All)
	key, err := groupKey(o.GetStreamIdentifier(), all, o.GetGroupName())
	if err != nil {
		return nil, err
	}
	g, err := s.node.groups.Get(key)
	if err != nil {
		return nil, refuseGroup(unaryTrailers{ctx}, key, err)
	}
	info, err := g.Info(ctx)
	if err != nil {
		return nil, failure(err)
	}
	return &persistent.GetInfoResp{SubscriptionInfo: infoToWire(&info)}, nil
}

// List describes the groups of a stream, or all groups.
func (s *persistentService) List(ctx context.Context, req *persistent.ListReq) (*persistent.ListResp, error) {
	stream := ""
	if o, ok := req.GetOptions().GetListOption().(*persistent.ListReq_Options_ListForStream); ok {
		stream = string(o.ListForStream.GetStream().GetStreamName())
		if _, all := o.ListForStream.GetStreamOption().(*persistent.ListReq_StreamOption_All); all {
			stream = group.All
		}
		if stream == "" {
			return nil, invalid("persistent subscription: no stream was named")
		}
	}
	groups := s.node.groups.List(stream)
	if len(groups) == 0 && stream != "" {
		return nil, refuseGroup(unaryTrailers{ctx}, group.Key{Stream: stream}, group.ErrMissing)
	}
	out := &persistent.ListResp{}
	for _, g := range groups {
		info, err := g.Info(ctx)
		if err != nil {
			return nil, failure(err)
		}
		out.Subscriptions = append(out.Subscriptions, infoToWire(&info))
	}
	return out, nil
}

// RestartSubsystem drops all consumers and begins every group again from what is stored.
func (s *persistentService) RestartSubsystem(context.Context, *shared.Empty) (*shared.Empty, error) {
	if err := s.node.groups.Restart(); err != nil {
		return nil, failure(err)
	}
	return &shared.Empty{}, nil
}

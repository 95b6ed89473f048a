package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
)

// clustered reports whether the node to talk to must be asked for.
func (s *Store) clustered() bool { return s.server.DnsDiscover || len(s.server.GossipSeeds) > 0 }

// find returns the address of the node to talk to: the one the connection
// string names or, in a cluster, the best that the first answering seed knows.
func (s *Store) find(ctx context.Context) (string, error) {
	if !s.clustered() {
		return s.server.Address, nil
	}
	seeds := []string{s.server.Address}
	if len(s.server.GossipSeeds) > 0 {
		seeds = seeds[:0]
		for _, seed := range s.server.GossipSeeds {
			seeds = append(seeds, seed.String())
		}
	}
	start := int(s.cfg.Rand() * float64(len(seeds)))
	var failed []error
	for i := range seeds {
		seed := seeds[(start+i)%len(seeds)]
		node, err := s.askSeed(ctx, seed, len(seeds)-i)
		if err == nil {
			return node, nil
		}
		failed = append(failed, fmt.Errorf("seed %s: %w", seed, err))
	}
	return "", errors.Join(failed...)
}

// askSeed reads one seed's view of the cluster, spending its share of the time.
func (s *Store) askSeed(ctx context.Context, seed string, shares int) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.AttemptTimeout/time.Duration(shares))
	defer cancel()
	cc, err := s.dial(seed)
	if err != nil {
		return "", err
	}
	defer cc.Close()
	info, err := gossip.NewGossipClient(cc).Read(ctx, &shared.Empty{})
	if err != nil {
		return "", err
	}
	return pick(info.GetMembers(), s.server.NodePreference, s.cfg.Rand())
}

// kinds returns the states that a preference asks for.
func kinds(p esdb.NodePreference) []gossip.MemberInfo_VNodeState {
	switch p {
	case esdb.NodePreferenceLeader:
		return []gossip.MemberInfo_VNodeState{gossip.MemberInfo_Leader}
	case esdb.NodePreferenceFollower:
		return []gossip.MemberInfo_VNodeState{gossip.MemberInfo_Follower}
	case esdb.NodePreferenceReadOnlyReplica:
		return []gossip.MemberInfo_VNodeState{
			gossip.MemberInfo_ReadOnlyReplica, gossip.MemberInfo_PreReadOnlyReplica, gossip.MemberInfo_ReadOnlyLeaderless,
		}
	default:
		return nil
	}
}

// canServe reports whether a node in that state answers reads or writes.
func canServe(state gossip.MemberInfo_VNodeState) bool {
	switch state {
	case gossip.MemberInfo_Leader, gossip.MemberInfo_Follower, gossip.MemberInfo_ReadOnlyReplica,
		gossip.MemberInfo_PreReadOnlyReplica, gossip.MemberInfo_ReadOnlyLeaderless:
		return true
	default:
		return false
	}
}

// pick chooses among the nodes that can serve: of the preferred kind if there
// is one, else any; equals by chance.
func pick(members []*gossip.MemberInfo, preference esdb.NodePreference, chance float64) (string, error) {
	var able, preferred []*gossip.MemberInfo
	for _, m := range members {
		if !m.GetIsAlive() || !canServe(m.GetState()) {
			continue
		}
		able = append(able, m)
		if slices.Contains(kinds(preference), m.GetState()) {
			preferred = append(preferred, m)
		}
	}
	if len(preferred) > 0 {
		able = preferred
	}
	if len(able) == 0 {
		return "", errors.New("no node of the cluster can serve yet")
	}
	e := able[int(chance*float64(len(able)))].GetHttpEndPoint()
	return net.JoinHostPort(e.GetAddress(), strconv.FormatUint(uint64(e.GetPort()), 10)), nil
}

package store

import (
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
)

func TestTheNodeToTalkToFollowsThePreference(t *testing.T) {
	t.Parallel()
	node := func(port uint32, state gossip.MemberInfo_VNodeState, alive bool) *gossip.MemberInfo {
		return &gossip.MemberInfo{State: state, IsAlive: alive, HttpEndPoint: &gossip.EndPoint{Address: "n", Port: port}}
	}
	cluster := []*gossip.MemberInfo{
		node(1, gossip.MemberInfo_Follower, true), node(2, gossip.MemberInfo_Leader, true), node(3, gossip.MemberInfo_ReadOnlyReplica, true),
		node(4, gossip.MemberInfo_Leader, false), node(5, gossip.MemberInfo_CatchingUp, true), node(6, gossip.MemberInfo_Manager, true),
	}
	for _, c := range []struct {
		preference esdb.NodePreference
		members    []*gossip.MemberInfo
		chance     float64
		want       string
	}{
		{esdb.NodePreferenceLeader, cluster, 0.99, "n:2"},
		{esdb.NodePreferenceFollower, cluster, 0.99, "n:1"},
		{esdb.NodePreferenceReadOnlyReplica, cluster, 0, "n:3"},
		{esdb.NodePreferenceRandom, cluster, 0, "n:1"},
		{esdb.NodePreferenceRandom, cluster, 0.99, "n:3"},
		{esdb.NodePreferenceLeader, cluster[:1], 0, "n:1"}, // better a follower than none
		{esdb.NodePreferenceLeader, cluster[3:], 0, ""},
		{esdb.NodePreferenceLeader, nil, 0, ""},
	} {
		if got, err := pick(c.members, c.preference, c.chance); got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("preference %s among %d: got %q, %v; want %q", c.preference, len(c.members), got, err, c.want)
		}
	}
}

package node

import (
	"context"
	"net"
	"strconv"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/google/uuid"
	"google.golang.org/grpc/peer"
)

// gossipService tells clients that look for a cluster that it has one member, which leads.
type gossipService struct {
	gossip.UnimplementedGossipServer
	node     *Node
	instance uuid.UUID
}

func (g *gossipService) Read(ctx context.Context, _ *shared.Empty) (*gossip.ClusterInfo, error) {
	host, port, err := g.node.advertised(ctx)
	if err != nil {
		return nil, failure(err)
	}
	return &gossip.ClusterInfo{Members: []*gossip.MemberInfo{{
		InstanceId:   &shared.UUID{Value: &shared.UUID_String_{String_: g.instance.String()}},
		TimeStamp:    g.node.cfg.Now().UnixNano() / 100,
		State:        gossip.MemberInfo_Leader,
		IsAlive:      true,
		HttpEndPoint: &gossip.EndPoint{Address: host, Port: port},
	}}}, nil
}

// advertised is where the caller is to connect: what was configured, or else the address at which it reached this node.
func (n *Node) advertised(ctx context.Context) (host string, port uint32, err error) {
	address := n.cfg.Advertise
	if address == "" {
		address = n.Addr()
		if p, ok := peer.FromContext(ctx); ok && p.LocalAddr != nil {
			address = p.LocalAddr.String()
		}
	}
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	number, err := strconv.ParseUint(text, 10, 16)
	return host, uint32(number), err
}

package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"waybill/events/node/group"
	"waybill/events/node/journal"
)

// The reasons for which a node does not open, or stops. Messages name the directory and the remedy.
var (
	ErrInUse   = journal.ErrInUse   // another process has the directory open
	ErrVersion = journal.ErrVersion // made by another format version
	ErrDamaged = journal.ErrDamaged // stored data is not what was written
	ErrFailed  = journal.ErrFailed  // the disk refused a write
)

// Node is an open node. It serves while Run runs.
type Node struct {
	cfg      Config
	journal  *journal.Journal
	listener net.Listener
	server   *grpc.Server
	groups   *group.Registry
	stopping chan struct{} // closed when subscriptions are to end

	stopOnce  sync.Once
	closeOnce sync.Once
	closeErr  error
}

// Open opens the data directory and binds the port; calls are answered from Run on. The errors it names: ErrInUse,
// ErrVersion, ErrDamaged.
func Open(cfg Config) (*Node, error) {
	cfg.setDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("event store node: listen on %s: %w", cfg.Listen, err)
	}
	j, err := journal.Open(journal.Options{
		Dir: cfg.Dir, Logger: cfg.Logger, Now: cfg.Now, NewID: cfg.NewID, CacheBytes: cfg.CacheSize, FS: cfg.files,
		MustExist: cfg.MustExist,
	})
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	n := &Node{cfg: cfg, journal: j, listener: listener, stopping: make(chan struct{})}
	if n.groups, err = group.Open(n.groupDeps()); err != nil {
		return nil, errors.Join(err, j.Close(), listener.Close())
	}
	options := append(serverOptions(), cfg.authOptions()...)
	if cfg.TLS != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(cfg.TLS)))
	}
	n.server = grpc.NewServer(options...)
	streams.RegisterStreamsServer(n.server, &streamsService{node: n})
	serverfeatures.RegisterServerFeaturesServer(n.server, featuresService{})
	persistent.RegisterPersistentSubscriptionsServer(n.server, &persistentService{node: n})
	gossip.RegisterGossipServer(n.server, &gossipService{node: n, instance: cfg.NewID()})
	n.server.RegisterService(adminDesc(), n)
	return n, nil
}

func serverOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ForceServerCodecV2(frameCodec{}),
		grpc.MaxRecvMsgSize(20 << 20),
		grpc.MaxSendMsgSize(20 << 20),
		// Clients ping every 10 s, also when nothing is going on; pinging too often must not cut them off.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 2 * time.Second, PermitWithoutStream: true}),
		// A subscriber that went away without a word is found out.
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 10 * time.Second, Timeout: 10 * time.Second}),
		grpc.WriteBufferSize(64 << 10),
		grpc.ReadBufferSize(64 << 10),
	}
}

// Addr is the address the node listens on, host:port.
func (n *Node) Addr() string { return n.listener.Addr().String() }

// ConnectionString is what a client is given to find this node.
func (n *Node) ConnectionString() string {
	return fmt.Sprintf("esdb://%s?tls=%t", n.Addr(), n.cfg.TLS != nil)
}

// Run serves until ctx is done or the disk refuses a write, which it returns as ErrFailed. Then subscriptions are told to end, calls in progress get
// Config.StopTimeout to do so, and the rest is cut off. The data directory stays locked until Close.
func (n *Node) Run(ctx context.Context) error {
	served := make(chan error, 1)
	go func() { served <- n.server.Serve(n.listener) }()
	var failure error
	select {
	case err := <-served:
		if errors.Is(err, grpc.ErrServerStopped) {
			err = nil
		}
		return err
	case <-n.journal.Failed():
		failure = fmt.Errorf("event store node: %w", n.journal.Err())
	case <-ctx.Done():
	}
	n.stop(n.cfg.StopTimeout)
	<-served
	return failure
}

// stop ends subscriptions, then calls, then connections.
func (n *Node) stop(patience time.Duration) {
	n.stopOnce.Do(func() { close(n.stopping) })
	graceful := make(chan struct{})
	go func() {
		n.server.GracefulStop()
		close(graceful)
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-graceful:
	case <-timer.C:
		n.server.Stop()
		<-graceful
	}
}

// Close stops serving at once, if Run still runs, and releases the data directory. It is idempotent.
func (n *Node) Close() error {
	n.closeOnce.Do(func() {
		n.stopOnce.Do(func() { close(n.stopping) })
		n.server.Stop()
		if err := n.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			n.closeErr = err
		}
		n.groups.Close()
		n.closeErr = errors.Join(n.closeErr, n.journal.Close())
	})
	return n.closeErr
}

package node

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"

	"waybill/events/node/journal"
)

// limitServer does what no store can do less than: appends are written to a file with one fsync per group and nothing is
// decided; reads are sent from memory, already encoded.
type limitServer struct {
	streams.UnimplementedStreamsServer
	disk  *groupFile
	reads []byte // one encoded event
	count int
}

// serveLimit serves a limitServer with the node's own settings and gives a client of it.
func serveLimit(b *testing.B, events, size int) (*esdb.Client, string) {
	b.Helper()
	l := &limitServer{disk: newGroupFile(b), count: events}
	r := journal.Record{
		Position: 1 << 30, ID: uuid.New(), Created: 1, JSON: true, Stream: []byte("Delivery-" + uuid.NewString()),
		Type: []byte("Happened"), Data: make([]byte, size), Metadata: []byte(`{"m":1}`),
	}
	l.reads = (&encoder{}).frame(&r, nil).buffer.ReadOnlyData()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := grpc.NewServer(serverOptions()...)
	streams.RegisterStreamsServer(server, l)
	serverfeatures.RegisterServerFeaturesServer(server, featuresService{})
	go func() { _ = server.Serve(listener) }()
	b.Cleanup(server.Stop)
	address := listener.Addr().String()
	return connect(b, "esdb://"+address+"?tls=false"), address
}

func (l *limitServer) Append(call streams.Streams_AppendServer) error {
	var bytes []byte
	for {
		req, err := call.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		bytes = append(bytes, req.GetProposedMessage().GetData()...)
	}
	if err := l.disk.write(bytes); err != nil {
		return err
	}
	return call.SendAndClose(&streams.AppendResp{Result: appended(journal.Written{Revision: 1, Position: 1})})
}

func (l *limitServer) BatchAppend(call streams.Streams_BatchAppendServer) error {
	answers := make(chan *streams.BatchAppendResp, batchOutstanding)
	room := make(chan struct{}, batchOutstanding)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for a := range answers {
			_ = call.Send(a)
			<-room
		}
	}()
	var pending sync.WaitGroup
	for {
		req, err := call.Recv()
		if err != nil {
			pending.Wait()
			close(answers)
			<-sent
			return nil
		}
		room <- struct{}{}
		pending.Add(1)
		var bytes []byte
		for _, m := range req.GetProposedMessages() {
			bytes = append(bytes, m.GetData()...)
		}
		l.disk.submit(bytes, func(error) {
			answers <- batchAnswer(&openBatch{options: req.GetOptions(), id: req.GetCorrelationId()}, journal.Written{Revision: 1, Position: 1}, nil)
			pending.Done()
		})
	}
}

func (l *limitServer) Read(req *streams.ReadReq, call streams.Streams_ReadServer) error {
	_, live := req.GetOptions().GetCountOption().(*streams.ReadReq_Options_Subscription)
	if live {
		if err := call.Send(&streams.ReadResp{Content: &streams.ReadResp_Confirmation{
			Confirmation: &streams.ReadResp_SubscriptionConfirmation{SubscriptionId: "x"},
		}}); err != nil {
			return err
		}
	}
	for range l.count {
		if err := call.SendMsg(&frame{mem.SliceBuffer(l.reads)}); err != nil {
			return err
		}
	}
	if live {
		if err := call.Send(&streams.ReadResp{Content: &streams.ReadResp_CaughtUp_{CaughtUp: &streams.ReadResp_CaughtUp{}}}); err != nil {
			return err
		}
		<-call.Context().Done()
	}
	return nil
}

// groupFile appends to a file; whoever comes while it syncs shares the next sync.
type groupFile struct {
	f       *os.File
	mu      sync.Mutex
	buffer  []byte
	waiting []func(error)
	kick    chan struct{}
}

func newGroupFile(b *testing.B) *groupFile {
	b.Helper()
	f, err := os.Create(filepath.Join(b.TempDir(), "limit"))
	if err != nil {
		b.Fatal(err)
	}
	g := &groupFile{f: f, kick: make(chan struct{}, 1)}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		g.loop()
	}()
	b.Cleanup(func() {
		close(g.kick)
		<-stopped
		_ = f.Close()
	})
	return g
}

func (g *groupFile) loop() {
	var spare []byte
	for range g.kick {
		g.mu.Lock()
		buffer, waiting := g.buffer, g.waiting
		g.buffer, g.waiting = spare[:0], nil
		g.mu.Unlock()
		_, err := g.f.Write(buffer)
		if err == nil {
			err = syscall.Fdatasync(int(g.f.Fd()))
		}
		spare = buffer
		for _, done := range waiting {
			done(err)
		}
	}
}

func (g *groupFile) submit(b []byte, done func(error)) {
	g.mu.Lock()
	g.buffer = append(g.buffer, b...)
	g.waiting = append(g.waiting, done)
	g.mu.Unlock()
	select {
	case g.kick <- struct{}{}:
	default:
	}
}

func (g *groupFile) write(b []byte) error {
	done := make(chan error, 1)
	g.submit(b, func(err error) { done <- err })
	return <-done
}

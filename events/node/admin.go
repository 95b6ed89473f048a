package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// The node has one call that is not EventStoreDB's: a backup made by the process that has the data directory open, asked
// for from another.
const (
	adminService = "waybill.eventstore.Admin"
	backupMethod = "/" + adminService + "/Backup"
)

type adminServer interface {
	backup(ctx context.Context, name *wrapperspb.StringValue) (*wrapperspb.StringValue, error)
}

func adminDesc() *grpc.ServiceDesc {
	return &grpc.ServiceDesc{
		ServiceName: adminService,
		HandlerType: (*adminServer)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Backup", Handler: handleBackup}},
	}
}

func handleBackup(srv any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
	name := &wrapperspb.StringValue{}
	if err := decode(name); err != nil {
		return nil, err
	}
	call := func(ctx context.Context, req any) (any, error) {
		return srv.(adminServer).backup(ctx, req.(*wrapperspb.StringValue))
	}
	if intercept == nil {
		return call(ctx, name)
	}
	return intercept(ctx, name, &grpc.UnaryServerInfo{Server: srv, FullMethod: backupMethod}, call)
}

func (n *Node) backup(_ context.Context, name *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
	dir, err := n.backupTo(name.GetValue())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	if err := n.Backup(dir); errors.Is(err, fs.ErrExist) {
		return nil, status.Error(codes.AlreadyExists, err.Error())
	} else if err != nil {
		return nil, failure(err)
	}
	return wrapperspb.String(dir), nil
}

// RequestBackup asks a running node for a backup under this name and gives the directory it is in, on the node's machine.
// The node must have a Config.BackupDir.
func RequestBackup(ctx context.Context, connection, name string) (dir string, err error) {
	settings, err := esdb.ParseConnectionString(connection)
	if err != nil {
		return "", fmt.Errorf("request a backup: %w", err)
	}
	transport := insecure.NewCredentials()
	if !settings.DisableTLS {
		transport = credentials.NewTLS(&tls.Config{
			MinVersion: tls.VersionTLS12, RootCAs: settings.RootCAs, InsecureSkipVerify: settings.SkipCertificateVerification,
		})
	}
	options := []grpc.DialOption{grpc.WithTransportCredentials(transport)}
	if settings.Username != "" && !settings.DisableTLS {
		options = append(options, grpc.WithPerRPCCredentials(basic{settings.Username, settings.Password}))
	}
	conn, err := grpc.NewClient(settings.Address, options...)
	if err != nil {
		return "", fmt.Errorf("request a backup: %w", err)
	}
	defer func() { _ = conn.Close() }()
	answer := &wrapperspb.StringValue{}
	if err := conn.Invoke(ctx, backupMethod, wrapperspb.String(name), answer); err != nil {
		return "", fmt.Errorf("request a backup of %s: %w", settings.Address, err)
	}
	return answer.GetValue(), nil
}

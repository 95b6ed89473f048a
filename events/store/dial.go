package store

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

const maxMessage = 17 << 20 // bytes; what the client module accepts, too

// parseURL reads a connection string. Its errors never quote it: what cannot be
// parsed may well be a password.
func parseURL(url string) (*esdb.Configuration, error) {
	c, err := esdb.ParseConnectionString(url)
	if err == nil {
		err = c.Validate()
	}
	if err != nil {
		return nil, errors.New("event store: the connection string cannot be read; want " +
			"esdb://[user:password@]host:port[,host:port...][?tls=true|false&tlsCaFile=...], special characters of the password percent-encoded")
	}
	c.Logger = nil
	return c, nil
}

func addressOf(c *esdb.Configuration) string {
	if len(c.GossipSeeds) == 0 {
		return c.Address
	}
	seeds := make([]string, len(c.GossipSeeds))
	for i, s := range c.GossipSeeds {
		seeds[i] = s.String()
	}
	return strings.Join(seeds, ",")
}

// dial prepares a connection to one node; nothing is sent yet. The connection
// re-establishes itself after a loss, at the pace of the store's backoff.
func (s *Store) dial(address string) (*grpc.ClientConn, error) {
	transport, err := transportOf(s.server)
	if err != nil {
		return nil, err
	}
	opts := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.WaitForReady(true)),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay: s.cfg.MinBackoff, Multiplier: 2, Jitter: 0.3, MaxDelay: s.cfg.MaxBackoff,
			},
			MinConnectTimeout: s.cfg.AttemptTimeout,
		}),
	}
	if every := s.server.KeepAliveInterval; every >= 0 {
		opts = append(opts, grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: max(every, 10*time.Second), Timeout: s.server.KeepAliveTimeout, PermitWithoutStream: true,
		}))
	}
	if s.server.Username != "" && !s.server.DisableTLS {
		opts = append(opts, grpc.WithPerRPCCredentials(basic{s.server.Username, s.server.Password}))
	}
	cc, err := grpc.NewClient(address, opts...)
	if err != nil {
		return nil, fmt.Errorf("event store: dial %s: %w", address, err)
	}
	return cc, nil
}

func transportOf(c *esdb.Configuration) (credentials.TransportCredentials, error) {
	if c.DisableTLS {
		return insecure.NewCredentials(), nil
	}
	t := &tls.Config{InsecureSkipVerify: c.SkipCertificateVerification, RootCAs: c.RootCAs, MinVersion: tls.VersionTLS12}
	if c.UserCertFile != "" {
		cert, err := tls.LoadX509KeyPair(c.UserCertFile, c.UserKeyFile)
		if err != nil {
			return nil, fmt.Errorf("event store: user certificate %s: %w", c.UserCertFile, err)
		}
		t.Certificates = []tls.Certificate{cert}
	}
	return credentials.NewTLS(t), nil
}

// basic sends a name and a password with every call, over TLS only.
type basic struct{ user, password string }

func (b basic) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{
		"authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(b.user+":"+b.password)),
	}, nil
}

func (basic) RequireTransportSecurity() bool { return true }

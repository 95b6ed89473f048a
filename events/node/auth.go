package node

import (
	"context"
	"encoding/base64"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// openCall tells which calls need no credentials: what a client does before it knows whom it talks to.
func openCall(method string) bool {
	return strings.HasPrefix(method, "/event_store.client.server_features.") || strings.HasPrefix(method, "/event_store.client.gossip.")
}

// authorize lets a call through when its credentials are good, or when none are needed.
func (c *Config) authorize(ctx context.Context, to trailers, method string) error {
	if openCall(method) {
		return nil
	}
	headers := metadata.ValueFromIncomingContext(ctx, "authorization")
	if len(headers) == 0 {
		return accessDenied(to)
	}
	user, password, ok := parseBasic(headers[0])
	if !ok || !c.Authenticate(user, password) {
		return status.Error(codes.Unauthenticated, "the credentials were not accepted")
	}
	return nil
}

func parseBasic(header string) (user, password string, ok bool) {
	scheme, encoded, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "basic") {
		return "", "", false
	}
	plain, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(plain), ":")
}

// authOptions make the server ask for credentials, when it is to.
func (c *Config) authOptions() []grpc.ServerOption {
	if c.Authenticate == nil {
		return nil
	}
	return []grpc.ServerOption{
		grpc.UnaryInterceptor(func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			if err := c.authorize(ctx, unaryTrailers{ctx}, info.FullMethod); err != nil {
				return nil, err
			}
			return next(ctx, req)
		}),
		grpc.StreamInterceptor(func(srv any, call grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			if err := c.authorize(call.Context(), call, info.FullMethod); err != nil {
				return err
			}
			return next(srv, call)
		}),
	}
}

// basic are credentials that a client sends with every call, over TLS only.
type basic struct{ user, password string }

func (b basic) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(b.user+":"+b.password))}, nil
}

func (basic) RequireTransportSecurity() bool { return true }

package node

import (
	"context"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
)

// serverVersion is the version whose behaviour this node reproduces.
const serverVersion = "24.10.5"

// featuresService tells clients what this node can do. Names are lower-case: clients compare them as they are.
type featuresService struct {
	serverfeatures.UnimplementedServerFeaturesServer
}

func (featuresService) GetSupportedMethods(context.Context, *shared.Empty) (*serverfeatures.SupportedMethods, error) {
	offered := []struct {
		service string
		methods []string
	}{
		{"event_store.client.streams.streams", []string{"read", "append", "delete", "tombstone", "batchappend"}},
		{"event_store.client.server_features.serverfeatures", []string{"getsupportedmethods"}},
	}
	answer := &serverfeatures.SupportedMethods{EventStoreServerVersion: serverVersion}
	for _, s := range offered {
		for _, m := range s.methods {
			answer.Methods = append(answer.Methods, &serverfeatures.SupportedMethod{ServiceName: s.service, MethodName: m})
		}
	}
	return answer, nil
}

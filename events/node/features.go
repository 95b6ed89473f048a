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
	features := map[string][]string{
		// What clients ask for before they use these calls on $all, or with a filter.
		"create": {"stream", "all"}, "getinfo": {"stream", "all"}, "replayparked": {"stream", "all"}, "list": {"stream", "all"},
	}
	offered := []struct {
		service string
		methods []string
	}{
		{"event_store.client.streams.streams", []string{"read", "append", "delete", "tombstone", "batchappend"}},
		{"event_store.client.persistent_subscriptions.persistentsubscriptions", []string{
			"create", "update", "delete", "read", "getinfo", "replayparked", "list", "restartsubsystem",
		}},
		{"event_store.client.gossip.gossip", []string{"read"}},
		{"event_store.client.server_features.serverfeatures", []string{"getsupportedmethods"}},
	}
	answer := &serverfeatures.SupportedMethods{EventStoreServerVersion: serverVersion}
	for _, s := range offered {
		for _, m := range s.methods {
			answer.Methods = append(answer.Methods, &serverfeatures.SupportedMethod{
				ServiceName: s.service, MethodName: m, Features: features[m],
			})
		}
	}
	return answer, nil
}

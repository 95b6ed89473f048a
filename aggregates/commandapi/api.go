package commandapi

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/access/route"
	"waybill/aggregates/command"
	"waybill/aggregates/commandapi/upload"
	"waybill/aggregates/problem"
	"waybill/aggregates/telemetry"
	"waybill/events"
)

// Progress tells how far the read model has come.
type Progress interface {
	// Wait returns when everything up to a position is in the tables, or with
	// ctx's error.
	Wait(ctx context.Context, p events.Position) error
}

// Config says what the command API works with.
type Config struct {
	// Commands executes. Required.
	Commands *command.Service
	// Access keeps identities, sessions and tokens. Required.
	Access *access.Service
	// Progress lets commands that change who sees what answer only when that is
	// so. Required.
	Progress Progress
	// Problems renders errors. Required.
	Problems *problem.Renderer
	// SetupToken lets its bearer create organisations. Empty = nobody can over
	// HTTP.
	SetupToken string
	// VisibleLimit bounds the wait for the read model after a command that
	// changes who sees what. Defaults to 5 s.
	VisibleLimit time.Duration
	// Uploads bounds the delivery files that are sent over HTTP.
	Uploads upload.Config
	// Imports is how many organisations may have a file imported at a time, each
	// one file. Defaults to 2.
	Imports int
	// ImportWait is how long a file waits for others that are imported. Defaults
	// to 5 min.
	ImportWait time.Duration
	// Positions keeps where vehicles are. Nil leaves their route out.
	Positions *telemetry.Store
	// NewID makes the ids of commands that come without a key. Defaults to
	// random UUIDs.
	NewID func() uuid.UUID
	// Resets carries out requests for another password. Nil leaves their routes
	// out.
	Resets *Resets
	// Trail keeps sign-ins and refusals. Defaults to keeping none.
	Trail Trail
	// Logger gets what is not the caller's business. Defaults to discarding.
	Logger *slog.Logger
}

type api struct {
	cfg     Config
	setup   [sha256.Size]byte // hash of the set-up token
	uploads *upload.Dock
	imports *turns
}

func newAPI(cfg Config) (*api, error) {
	if cfg.Commands == nil || cfg.Access == nil || cfg.Progress == nil || cfg.Problems == nil {
		return nil, errors.New("commandapi: Commands, Access, Progress and Problems are required")
	}
	if cfg.VisibleLimit == 0 {
		cfg.VisibleLimit = 5 * time.Second
	}
	if cfg.NewID == nil {
		cfg.NewID = uuid.New
	}
	if cfg.Trail == nil {
		cfg.Trail = untrailed{}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Imports <= 0 {
		cfg.Imports = 2
	}
	if cfg.ImportWait <= 0 {
		cfg.ImportWait = 5 * time.Minute
	}
	return &api{cfg: cfg, setup: sha256.Sum256([]byte(cfg.SetupToken)), uploads: upload.New(cfg.Uploads), imports: newTurns(cfg.Imports, cfg.ImportWait)}, nil
}

// Routes returns the command routes, those of sessions among them.
func Routes(cfg Config) ([]route.Route, error) {
	a, err := newAPI(cfg)
	if err != nil {
		return nil, err
	}
	return a.routes(), nil
}

// Declared returns the command routes as they are declared, for those who print
// them. Their handlers serve nothing.
func Declared() []route.Route {
	return (&api{cfg: Config{Positions: new(telemetry.Store), Resets: new(Resets)}}).routes()
}

func (a *api) routes() []route.Route {
	var all []route.Route
	for _, some := range [][]route.Route{
		a.sessionRoutes(), a.resetRoutes(), a.organisationRoutes(), a.groupRoutes(), a.groupLifeRoutes(), a.userRoutes(), a.clientRoutes(), a.deliveryRoutes(), a.deliveryLifeRoutes(), a.deliveryBulkRoutes(), a.importRoutes(), a.positionRoutes(),
	} {
		all = append(all, some...)
	}
	for i, r := range all {
		if r.Personal && r.Method != http.MethodGet {
			all[i].Refused = func(req *http.Request, err error) { a.refused(access.CallerOf(req.Context()), r.Name, "", err) }
		}
	}
	return all
}

// handler renders the error that a handler returns.
func (a *api) handler(do func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := do(w, r); err != nil {
			a.cfg.Problems.Write(w, r, err)
		}
	})
}

// visible waits until the read model has reached a position, for a bounded time,
// and reports whether it has.
func (a *api) visible(ctx context.Context, p events.Position) bool {
	ctx, cancel := context.WithTimeout(ctx, a.cfg.VisibleLimit)
	defer cancel()
	if err := a.cfg.Progress.Wait(ctx, p); err != nil {
		a.cfg.Logger.WarnContext(ctx, "the read model is behind a command", "position", p, "error", err)
		return false
	}
	return true
}

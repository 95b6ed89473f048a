package commandapi

import (
	"context"
	_ "embed"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"waybill/aggregates/access"
	"waybill/aggregates/access/route"
	"waybill/aggregates/command"
	"waybill/events"
	"waybill/events/fault"
)

// PasswordReset asks for a link that sets another password.
type PasswordReset struct {
	Email string `json:"email"`
}

// PasswordResetAsked is the answer, whether or not the e-mail is known.
type PasswordResetAsked struct {
	Detail string `json:"detail"`
}

//go:embed page/forgot-password.html
var forgotPasswordPage []byte

//go:embed page/forgot-password.js
var forgotPasswordScript []byte

// resetRoutes are there when resets are taken.
func (a *api) resetRoutes() []route.Route {
	if a.cfg.Resets == nil {
		return nil
	}
	return append([]route.Route{
		{Method: http.MethodPost, Path: "/v1/password-resets", Name: "requestPasswordReset", Verb: "password reset", Public: true,
			Summary: "Have a link mailed that sets another password. The answer is the same for whatever e-mail, however often it is asked.",
			Args:    []string{"email"}, Example: PasswordReset{Email: "adam@example.com"},
			Handler: a.handler(a.requestPasswordReset), Body: route.Of[PasswordReset](), Answer: route.Of[PasswordResetAsked](), Status: http.StatusAccepted},
	}, pages("forgotPassword", "/forgot-password", "The page on which a link is asked for that sets another password.", forgotPasswordPage, forgotPasswordScript)...)
}

// requestPasswordReset takes the request and answers. Nothing is looked up before
// the answer is given, and whoever asks too often is answered like everybody: so
// neither the answer nor its time tells anything.
func (a *api) requestPasswordReset(w http.ResponseWriter, r *http.Request) error {
	var in PasswordReset
	if err := readBody(w, r, &in, false); err != nil {
		return err
	}
	email, err := access.NormaliseEmail(in.Email)
	if err != nil {
		return err
	}
	source := access.SourceOf(r)
	if _, wait := a.cfg.Access.Attempt(access.TryReset, source.IP, email); wait == 0 {
		a.cfg.Resets.take(email, source)
	}
	return send(w, http.StatusAccepted, PasswordResetAsked{Detail: "If an account belongs to this e-mail, a link that sets another password is on its way to it."})
}

// ResetsConfig says what [Resets] works with.
type ResetsConfig struct {
	Commands *command.Service // required
	Access   *access.Service  // required

	// Queue is how many requests may wait. Defaults to 1024.
	Queue int
	// Patience is how long a request is tried while a store is away. Defaults to
	// 1 min.
	Patience time.Duration
	// NewID makes the ids of commands. Defaults to random UUIDs.
	NewID func() uuid.UUID
	// Registry gets the metrics; nil for none.
	Registry prometheus.Registerer
	// Logger defaults to discarding.
	Logger *slog.Logger
}

// Resets carries out requests for another password after they are answered. What
// comes faster than it can be carried out is dropped, and counted.
type Resets struct {
	cfg     ResetsConfig
	queue   chan reset
	dropped prometheus.Counter
}

// reset is one request that waits.
type reset struct {
	email  string
	source events.Source
}

// NewResets returns a queue. Nothing is carried out before [Resets.Run].
func NewResets(cfg ResetsConfig) (*Resets, error) {
	if cfg.Commands == nil || cfg.Access == nil {
		return nil, errors.New("commandapi: ResetsConfig.Commands and Access are required")
	}
	if cfg.Queue <= 0 {
		cfg.Queue = 1024
	}
	if cfg.Patience <= 0 {
		cfg.Patience = time.Minute
	}
	if cfg.NewID == nil {
		cfg.NewID = uuid.New
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	r := &Resets{cfg: cfg, queue: make(chan reset, cfg.Queue), dropped: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "waybill_password_resets_dropped_total", Help: "Requests for another password that were not carried out."})}
	if cfg.Registry != nil {
		if err := cfg.Registry.Register(r.dropped); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// take keeps a request, if there is room. It does not wait.
func (r *Resets) take(email string, source events.Source) {
	select {
	case r.queue <- reset{email, source}:
	default:
		r.dropped.Inc()
	}
}

// Run carries requests out until ctx ends, and then those that wait, for a short
// time.
func (r *Resets) Run(ctx context.Context) error {
	for {
		select {
		case one := <-r.queue:
			r.carry(ctx, one)
			continue
		case <-ctx.Done():
		}
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		for {
			select {
			case one := <-r.queue:
				r.carry(last, one)
			default:
				return nil
			}
		}
	}
}

// carry carries out one request, and waits for a store that is away for a while.
func (r *Resets) carry(ctx context.Context, one reset) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Patience)
	defer cancel()
	id := r.cfg.NewID()
	for {
		err := r.request(ctx, id, one)
		if err == nil {
			return
		}
		if !fault.Is(err, fault.Unavailable) || !wait(ctx, time.Second) {
			r.dropped.Inc()
			r.cfg.Logger.WarnContext(ctx, "a request for another password was not carried out", "error", err)
			return
		}
	}
}

// request records the request with one membership of the identity, if it has one
// that may.
func (r *Resets) request(ctx context.Context, id uuid.UUID, one reset) error {
	m, ok, err := r.cfg.Access.Resettable(ctx, one.email)
	if err != nil || !ok {
		return err
	}
	who := access.System(m.Org) // who asks has proved nothing
	who.Source = one.source
	_, err = r.cfg.Commands.RequestPasswordReset(ctx, who, command.Envelope{CommandID: id}, m.User)
	if fault.Is(err, fault.Conflict) || fault.Is(err, fault.NotFound) { // blocked or removed a moment ago
		return nil
	}
	return err
}

// wait reports false when ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

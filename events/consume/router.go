package consume

import (
	"errors"
	"math"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/components/metrics"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"

	"waybill/events/fault"
)

// router assembles Watermill's Router around the handler. Outermost first:
// metrics; correlation; poison parks a single event that cannot be handled;
// suspect sends a failed run back to be halved; retry waits out what passes;
// recoverer turns a panic into an error.
func (c *Consumer) router(f *feeder) (*message.Router, error) {
	logger := &routerLogger{watermill.NewSlogLogger(c.cfg.Logger)}
	r, err := message.NewRouter(message.RouterConfig{CloseTimeout: 2 * grace}, logger)
	if err != nil {
		return nil, err
	}
	poison, err := middleware.PoisonQueueWithFilter(parking{}, "parked", mayPark)
	if err != nil {
		return nil, err
	}
	retry := middleware.Retry{
		MaxRetries:          math.MaxInt32, // worthRetrying decides
		InitialInterval:     c.cfg.MinBackoff,
		MaxInterval:         c.cfg.MaxBackoff,
		Multiplier:          2,
		RandomizationFactor: 0.5,
		ShouldRetry:         c.worthRetrying,
		OnRetryHook:         func(int, time.Duration) { c.metrics.retries.Inc() },
		ResetContextOnRetry: true,
		Logger:              logger,
	}
	if c.cfg.Registry != nil {
		b := metrics.NewPrometheusMetricsBuilder(c.cfg.Registry, "waybill", "watermill")
		r.AddMiddleware(b.NewRouterMiddleware().Middleware)
	}
	r.AddMiddleware(middleware.CorrelationID, poison, c.suspect, retry.Middleware, middleware.Recoverer)
	r.AddConsumerHandler(c.cfg.Name, strings.Join(c.cfg.Prefixes, ","), f, c.fold)
	return r, nil
}

// fold runs the handler on an empty unit.
func (c *Consumer) fold(msg *message.Message) error {
	run := RunOf(msg)
	run.Unit.Reset()
	for _, rec := range run.parked {
		run.Unit.Park(rec, errStreamParked)
	}
	if len(run.Records) == 0 {
		return nil
	}
	err := c.cfg.Handler(msg.Context(), run)
	if err != nil && len(run.Records) > 1 && !isOutage(err) {
		return &splitError{err}
	}
	return err
}

// worthRetrying decides after a failed try: an outage is waited out, a single
// event's failure of unknown kind is tried a few times. A run of several that
// fails is halved at once: that tries all of it again, and finds the culprit.
func (c *Consumer) worthRetrying(p middleware.RetryParams) bool {
	if isOutage(p.Err) {
		return true
	}
	var several *splitError
	return !isPermanent(p.Err) && !errors.As(p.Err, &several) && p.RetryNum < c.cfg.Retries
}

// mayPark says which failures of a single event park it.
func mayPark(err error) bool {
	var several *splitError
	return !errors.As(err, &several) && !isOutage(err)
}

// suspect judges what retrying did not cure. The failure of a run of several
// events is marked as such, since any of them may be the culprit. A failure of
// unknown kind while progress cannot even be read is an outage in disguise.
func (c *Consumer) suspect(h message.HandlerFunc) message.HandlerFunc {
	return func(msg *message.Message) ([]*message.Message, error) {
		produced, err := h(msg)
		if err == nil {
			return produced, nil
		}
		run := RunOf(msg)
		if !isPermanent(err) && !isOutage(err) {
			if _, away := c.cfg.Log.Load(msg.Context()); away != nil {
				err = fault.Wrap(errors.Join(err, away), fault.Unavailable, "progress-unreadable", "The consumer's progress cannot be read.")
			}
		}
		run.cause, run.outage = err, isOutage(err)
		if len(run.Records) > 1 { // a panic comes without the mark
			err = &splitError{err}
		}
		return produced, err
	}
}

// parking is the poison queue's publisher: it parks the culprit through the
// run's own unit, so that the parked event and the progress past it are
// committed together.
type parking struct{}

func (parking) Publish(_ string, messages ...*message.Message) error {
	for _, msg := range messages {
		run := RunOf(msg)
		run.Unit.Reset()
		for _, rec := range run.parked {
			run.Unit.Park(rec, errStreamParked)
		}
		run.Unit.Park(run.Records[0], run.cause)
		run.culprit = true
	}
	return nil
}

func (parking) Close() error { return nil }

// routerLogger keeps the Router from calling an error what is only the search
// for one.
type routerLogger struct{ watermill.LoggerAdapter }

func (l *routerLogger) Error(msg string, err error, fields watermill.LogFields) {
	var several *splitError
	if errors.As(err, &several) {
		l.LoggerAdapter.Debug(msg+": "+err.Error(), fields)
		return
	}
	l.LoggerAdapter.Error(msg, err, fields)
}

func (l *routerLogger) Info(msg string, fields watermill.LogFields) {
	l.LoggerAdapter.Debug(msg, fields)
}

func (l *routerLogger) With(fields watermill.LogFields) watermill.LoggerAdapter {
	return &routerLogger{l.LoggerAdapter.With(fields)}
}

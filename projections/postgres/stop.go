package postgres

import (
	"context"
	"fmt"
	"syscall"
)

// Stop ends the server in order: open transactions are rolled back, a last
// checkpoint is written. It waits until the server has gone, so afterwards the
// directory is free. When ctx ends first, the server is ended at once, which
// loses nothing committed but lets the next start recover, and the error says
// so. Calling it again, or after the server ended by itself, does nothing.
func (s *Server) Stop(ctx context.Context) error {
	s.stopOnce.Do(func() { close(s.stopping) })
	if err := s.process.signal(syscall.SIGINT); err != nil {
		return fmt.Errorf("stop postgres in %s: %w", s.home.dir, err)
	}
	select {
	case <-s.exited:
		return nil
	case <-ctx.Done():
	}
	s.kill()
	return fmt.Errorf("stop postgres in %s: ended at once, the next start recovers: %w", s.home.dir, ctx.Err())
}

// kill ends the server at once and waits until all is tidied up.
func (s *Server) kill() {
	s.stopOnce.Do(func() { close(s.stopping) })
	s.process.end()
	<-s.exited
}

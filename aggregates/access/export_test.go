package access

import "context"

// HashesComputed is how much of the work that takes nearly all the time of a
// sign-in was done so far.
func (s *Service) HashesComputed() int64 { return s.hasher.done.Load() }

// EnterHashing takes a place to compute a hash, as signing in does.
func (s *Service) EnterHashing(ctx context.Context) (leave func(), err error) {
	return s.hasher.enter(ctx)
}

package remote_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"waybill/cmd/waybill/remote"
)

func TestSignInsAreKeptByServerAlsoWhenManyAreMadeAtOnce(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "settings", "waybill")
	s, err := remote.NewStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, there, err := s.Of("http://a"); there || err != nil {
		t.Fatalf("before anything is kept: %v, %v", there, err)
	}
	expires := time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if err := s.Put(fmt.Sprint("http://", i), &remote.Login{Email: "e", Token: fmt.Sprint("t", i), ExpiresAt: expires}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i := range 20 {
		l, there, err := s.Of(fmt.Sprint("http://", i))
		if err != nil || !there || l.Token != fmt.Sprint("t", i) || !l.ExpiresAt.Equal(expires) {
			t.Errorf("server %d: %+v, %v, %v", i, l, there, err)
		}
	}
	if err := s.Put("http://3", nil); err != nil {
		t.Fatal(err)
	}
	if _, there, err := s.Of("http://3"); there || err != nil {
		t.Errorf("what was forgotten is there: %v, %v", there, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("%v, %v: want the sign-ins and the lock", entries, err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s is open to others: %v, %v", e.Name(), info.Mode(), err)
		}
	}
}

func TestAFileOfSignInsThatIsBrokenIsNotRepeated(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "logins.json"), []byte(`{"http://a": {"token": "s3cret", "email": 7`), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := remote.NewStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Of("http://a"); err == nil || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "sign in again") {
		t.Errorf("a broken file: %v", err)
	}
}

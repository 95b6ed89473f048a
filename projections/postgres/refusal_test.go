package postgres

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestAClusterOfAnotherVersionIsRefusedWithBothVersions(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	server := running(t, Config{Dir: dir, NoSync: true})
	stop(t, server)
	mark := filepath.Join(server.home.data, "PG_VERSION")
	have, err := os.ReadFile(mark)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(mark, []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	version := as[*VersionError](t, refused(t, Config{Dir: dir, NoSync: true}))
	if version.Data != "9" || version.Bin != strings.TrimSpace(string(have)) {
		t.Errorf("it says data %s and programs %s", version.Data, version.Bin)
	}
	if text := version.Error(); !strings.Contains(text, "postgresql-9") || !strings.Contains(text, server.home.data) {
		t.Errorf("no remedy in %q", text)
	}
}

func TestADirectoryThatTheDatabaseUserCannotReachIsNamedBeforeAnythingIsDone(t *testing.T) {
	t.Parallel()
	closed := t.TempDir() // of mode 0755 in one of mode 0700
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(closed, "deep", "home")
	if os.Geteuid() != 0 {
		// The server runs as ourselves, so only what we cannot reach is out
		// of reach.
		if err := os.Chmod(closed, 0o000); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(closed, 0o700) })
		if err := refused(t, Config{Dir: dir}); !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), closed) {
			t.Fatal(err)
		}
		return
	}
	unreachable := as[*UnreachableError](t, refused(t, Config{Dir: dir}))
	if !strings.HasPrefix(closed, unreachable.Blocked) {
		t.Errorf("it names %s, which is not above %s", unreachable.Blocked, closed)
	}
	info, err := os.Stat(unreachable.Blocked)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode()&0o001 != 0 {
		t.Errorf("it names %s, which everybody may enter", unreachable.Blocked)
	}
	for _, want := range []string{dir, unreachable.Blocked, "user " + unreachable.Account, "chmod o+x"} {
		if text := unreachable.Error(); !strings.Contains(text, want) {
			t.Errorf("no %q in %q", want, text)
		}
	}
	if _, err := os.Stat(filepath.Dir(dir)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was made: %v", err)
	}
}

func TestADirectoryWithOtherContentsIsRefusedAndLeftAlone(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	if err := os.WriteFile(filepath.Join(dir, "letter.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := refused(t, Config{Dir: dir}); !strings.Contains(err.Error(), "letter.txt") {
		t.Error(err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o750 || len(entries) != 1 {
		t.Errorf("the directory was changed: mode %o, %d entries", info.Mode().Perm(), len(entries))
	}
}

func TestAPortInUseIsRefusedBeforeAnythingIsDone(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp4", loopback+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	dir := openDir(t)
	err = refused(t, Config{Dir: dir, Port: port, NoSync: true})
	if !errors.Is(err, ErrPortInUse) || !strings.Contains(err.Error(), listener.Addr().String()) {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Fatalf("something was made: %v, %v", entries, err)
	}
}

func TestAChosenPortIsUsed(t *testing.T) {
	t.Parallel()
	dir := homeDir(t)
	for {
		port, err := freePort(bounded(t))
		if err != nil {
			t.Fatal(err)
		}
		server, err := Start(bounded(t), Config{Dir: dir, Port: port, NoSync: true})
		if errors.Is(err, ErrPortInUse) {
			continue // somebody was faster: it is no free port any more
		}
		if err != nil {
			t.Fatal(err)
		}
		defer stop(t, server)
		if server.Port() != port {
			t.Fatalf("port %d, want %d", server.Port(), port)
		}
		connect(t, "postgres://postgres:"+server.password+"@"+net.JoinHostPort(loopback, strconv.Itoa(port))+"/postgres")
		return
	}
}

func TestWhatAnInterruptedStartLeftIsNoObstacle(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	home, err := newHome(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{home.lock, home.password, filepath.Join(home.fresh, "PG_VERSION"), filepath.Join(home.socket, ".s.PGSQL.1.lock")} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	running(t, Config{Dir: dir, NoSync: true})
}

func TestAClusterWithoutItsPasswordIsRefused(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	server := running(t, Config{Dir: dir, NoSync: true})
	stop(t, server)
	if err := os.Remove(server.home.password); err != nil {
		t.Fatal(err)
	}
	if err := refused(t, Config{Dir: dir, NoSync: true}); !strings.Contains(err.Error(), server.home.password) {
		t.Fatal(err)
	}
}

func TestADamagedClusterIsRefusedWithTheServersOwnWords(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	server := running(t, Config{Dir: dir, NoSync: true})
	stop(t, server)
	if err := os.Remove(filepath.Join(server.home.data, "global", "pg_control")); err != nil {
		t.Fatal(err)
	}
	if err := refused(t, Config{Dir: dir, NoSync: true}); !strings.Contains(err.Error(), "pg_control") {
		t.Fatal(err)
	}
}

func TestAConfigThatMakesNoSenseIsRefused(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]Config{
		"no directory":  {},
		"negative port": {Dir: "/nowhere", Port: -1},
		"port too high": {Dir: "/nowhere", Port: 65536},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := cfg.validate(); err == nil {
				t.Fatal("accepted")
			}
		})
	}
}

package postgres

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// program makes one. While it is being written nobody forks: a process forked then
// holds the file open for writing until it runs something else, and as long as
// somebody does, the program cannot be run.
func program(t *testing.T, path, script string) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
}

// installation makes a directory of programs that say they are of a version.
func installation(t *testing.T, dir, version string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"postgres", "initdb"} {
		program(t, filepath.Join(dir, name), "#!/bin/sh\necho '"+name+" (PostgreSQL) "+version+"'\n")
	}
	return dir
}

// homeOf makes a home with a cluster of a major version; empty: without.
func homeOf(t *testing.T, major string) home {
	t.Helper()
	home, err := newHome(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if major == "" {
		return home
	}
	if err := os.MkdirAll(home.data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home.data, "PG_VERSION"), []byte(major+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return home
}

func noFetch(context.Context, string) (string, error) { return "", errors.New("no network") }

func TestProgramsAreFoundOnThePathThenInTheUsualPlacesNewestFirst(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	onPath := installation(t, filepath.Join(root, "path"), "14.2")
	old := installation(t, filepath.Join(root, "lib", "9.6", "bin"), "9.6.24")
	fifteen := installation(t, filepath.Join(root, "lib", "15", "bin"), "15.14 (Debian 15.14-0)")
	eighteen := installation(t, filepath.Join(root, "lib", "18", "bin"), "18beta1")
	half := filepath.Join(root, "half")
	if err := os.MkdirAll(half, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(fifteen, "initdb"), filepath.Join(half, "initdb")); err != nil {
		t.Fatal(err)
	}
	places := []string{filepath.Join(root, "lib", "*", "bin")}
	for name, test := range map[string]struct {
		search search
		data   string
		dir    string
		major  string
	}{
		"path first":                           {search{path: onPath, places: places}, "", onPath, "14"},
		"half an installation is none":         {search{path: half, places: places}, "", eighteen, "18"},
		"newest of a place":                    {search{places: places}, "", eighteen, "18"},
		"the version of the data":              {search{path: onPath, places: places}, "15", fifteen, "15"},
		"too old is none":                      {search{path: old, places: places}, "", eighteen, "18"},
		"a relative path entry does not count": {search{path: ".:" + onPath}, "", onPath, "14"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.search.fetch = noFetch
			bin, err := test.search.find(bounded(t), "", homeOf(t, test.data))
			if err != nil {
				t.Fatal(err)
			}
			if bin.dir != test.dir || bin.major != test.major {
				t.Fatalf("found %+v, want %s in %s", bin, test.major, test.dir)
			}
		})
	}
}

func TestWithoutProgramsTheErrorNamesTheCommandThatInstallsThem(t *testing.T) {
	t.Parallel()
	_, err := search{fetch: noFetch}.find(bounded(t), "", homeOf(t, ""))
	if !errors.Is(err, ErrNoBinaries) || !strings.Contains(err.Error(), "install postgresql") || !strings.Contains(err.Error(), "no network") {
		t.Fatal(err)
	}
}

func TestWithProgramsOfAnotherVersionOnlyTheErrorNamesBoth(t *testing.T) {
	t.Parallel()
	only := search{path: installation(t, t.TempDir(), "15.14"), fetch: noFetch}
	_, err := only.find(bounded(t), "", homeOf(t, "14"))
	if version := as[*VersionError](t, err); version.Data != "14" || version.Bin != "15" {
		t.Fatal(version)
	}
}

func TestAGivenDirectoryWithoutProgramsIsNamed(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	err := refused(t, Config{Dir: filepath.Join(openDir(t), "home"), Binaries: empty})
	if !errors.Is(err, ErrNoBinaries) || !strings.Contains(err.Error(), empty) {
		t.Fatal(err)
	}
}

// repository serves the archive of testdata as any version, and counts.
func repository(t *testing.T) (string, *atomic.Int32) {
	t.Helper()
	programs, err := os.ReadFile(filepath.Join("testdata", "programs.txz"))
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	writer := zip.NewWriter(&archive)
	file, err := writer.Create("postgres.txz")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write(programs); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(archive.Bytes())
	var served atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".sha256") {
			_, _ = io.WriteString(w, hex.EncodeToString(sum[:]))
			return
		}
		served.Add(1)
		_, _ = w.Write(archive.Bytes())
	}))
	t.Cleanup(server.Close)
	return server.URL, &served
}

func TestMissingProgramsAreFetchedOnceAndKept(t *testing.T) {
	t.Parallel()
	url, served := repository(t)
	cache := filepath.Join(t.TempDir(), "cache")
	source := fetcher{cache: cache, repository: url, log: quiet()}
	for range 2 {
		bin, err := search{fetch: source.fetch}.find(bounded(t), "", homeOf(t, ""))
		if err != nil {
			t.Fatal(err)
		}
		if bin.major != fetchMajor || !strings.HasPrefix(bin.dir, cache) {
			t.Fatalf("found %+v", bin)
		}
	}
	if n := served.Load(); n != 1 {
		t.Errorf("fetched %d times, want once", n)
	}
	entries, err := os.ReadDir(cache)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2 { // the programs and the lock
		t.Errorf("left behind: %v", entries)
	}
}

func TestAFailedFetchLeavesNothingThatLooksLikePrograms(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	source := fetcher{cache: filepath.Join(t.TempDir(), "cache"), repository: server.URL, log: quiet()}
	for _, major := range []string{"", "15", "99"} {
		if dir, err := source.fetch(bounded(t), major); err == nil {
			t.Errorf("fetched %q into %s", major, dir)
		}
	}
}

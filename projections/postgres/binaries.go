package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// oldestMajor is the oldest version that knows every setting we use.
const oldestMajor = 13

// binaries are the programs of one PostgreSQL installation.
type binaries struct {
	dir     string // with symbolic links resolved
	version string // as "15.14"
	major   string // as "15"
}

func (b binaries) path(program string) string { return filepath.Join(b.dir, program) }

// search says where programs are looked for, in this order.
type search struct {
	path     string                                                  // as in $PATH
	pgConfig string                                                  // program to ask for its --bindir; empty: none
	places   []string                                                // glob patterns, newest match first
	fetch    func(ctx context.Context, major string) (string, error) // last resort; major may be empty
}

func defaultSearch(log *slog.Logger) search {
	f := defaultFetcher(log)
	return search{
		path:     os.Getenv("PATH"),
		pgConfig: "pg_config",
		places: []string{
			"/usr/lib/postgresql/*/bin",
			"/opt/homebrew/opt/postgresql@*/bin",
			"/usr/local/opt/postgresql@*/bin",
		},
		fetch: f.fetch,
	}
}

// find returns the programs to run the cluster of home with. An existing
// cluster takes the installation of its own major version wherever that is.
func (s search) find(ctx context.Context, given string, home home) (binaries, error) {
	want, err := home.dataVersion()
	if err != nil {
		return binaries{}, err
	}
	if given != "" {
		bin, err := inspect(ctx, given)
		if err != nil {
			return binaries{}, fmt.Errorf("%w in %s: %w", ErrNoBinaries, given, err)
		}
		if want != "" && want != bin.major {
			return binaries{}, &VersionError{Dir: home.data, Data: want, Bin: bin.major}
		}
		return bin, nil
	}
	var other string
	for _, dir := range s.candidates(ctx) {
		bin, err := inspect(ctx, dir)
		if err != nil {
			continue // an incomplete installation is as good as none
		}
		if want == "" || want == bin.major {
			return bin, nil
		}
		other = cmp.Or(other, bin.major)
	}
	dir, fetchErr := s.fetch(ctx, want)
	if fetchErr == nil {
		bin, err := inspect(ctx, dir)
		if err == nil && (want == "" || want == bin.major) {
			return bin, nil
		}
		fetchErr = errors.Join(err, errors.New("the fetched programs are not usable"))
	}
	if other != "" {
		return binaries{}, &VersionError{Dir: home.data, Data: want, Bin: other}
	}
	return binaries{}, fmt.Errorf("%w found on this machine, and they could not be fetched (%w): install them with `%s`", ErrNoBinaries, fetchErr, installCommand(want))
}

func installCommand(major string) string {
	if runtime.GOOS == "darwin" {
		return "brew install postgresql@" + cmp.Or(major, "15")
	}
	if major != "" {
		return "apt-get install postgresql-" + major
	}
	return "apt-get install postgresql"
}

// candidates are the directories that may hold an installation.
func (s search) candidates(ctx context.Context) []string {
	dirs := filepath.SplitList(s.path)
	dirs = slices.DeleteFunc(dirs, func(dir string) bool { return !filepath.IsAbs(dir) })
	if s.pgConfig != "" {
		if out, err := exec.CommandContext(ctx, s.pgConfig, "--bindir").Output(); err == nil {
			dirs = append(dirs, strings.TrimSpace(string(out)))
		}
	}
	for _, pattern := range s.places {
		found, err := filepath.Glob(pattern)
		if err != nil {
			continue // the patterns are ours and well formed
		}
		slices.SortFunc(found, func(a, b string) int { return cmp.Compare(versionIn(b), versionIn(a)) })
		dirs = append(dirs, found...)
	}
	return dirs
}

var placeVersion = regexp.MustCompile(`[/@]([0-9]+)[^/]*/bin$`)

// versionIn is the major version that the path of an installation names, 0
// when it names none.
func versionIn(path string) int {
	match := placeVersion.FindStringSubmatch(path)
	if match == nil {
		return 0
	}
	return number(match[1])
}

// number reads digits; what is too long for a number is no version: 0.
func number(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}

var versionLine = regexp.MustCompile(`^postgres \(PostgreSQL\) (([0-9]+)[^\s]*)`)

// inspect looks whether a directory holds an installation that we can use.
func inspect(ctx context.Context, dir string) (binaries, error) {
	for _, program := range []string{"postgres", "initdb"} {
		info, err := os.Stat(filepath.Join(dir, program))
		if err != nil {
			return binaries{}, err
		}
		if !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
			return binaries{}, &fs.PathError{Op: "run", Path: filepath.Join(dir, program), Err: fs.ErrPermission}
		}
	}
	real, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
	if err != nil {
		return binaries{}, err
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(real), "initdb")); err != nil {
		return binaries{}, err // the link led to half an installation
	}
	out, err := exec.CommandContext(ctx, real, "--version").Output()
	if err != nil {
		return binaries{}, fmt.Errorf("%s --version: %w", real, err)
	}
	match := versionLine.FindStringSubmatch(string(out))
	if match == nil {
		return binaries{}, fmt.Errorf("%s --version says %q", real, strings.TrimSpace(string(out)))
	}
	if number(match[2]) < oldestMajor {
		return binaries{}, fmt.Errorf("%s is of PostgreSQL %s, and %d is the oldest that works", real, match[1], oldestMajor)
	}
	return binaries{dir: filepath.Dir(real), version: match[1], major: match[2]}, nil
}

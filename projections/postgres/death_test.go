package postgres

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// owner starts another process that owns a server in dir, and returns it when
// the server runs.
func owner(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), ownerOfDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // most tests have done so already
		_ = cmd.Wait()
		noServer(t, dir) // the directory is removed next
	})
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "ready" {
		t.Fatalf("the owner says %q", lines.Text())
	}
	return cmd
}

// noServer waits until no server runs in dir, where that happens by itself when
// the owner dies.
func noServer(t *testing.T, dir string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		return
	}
	eventually(t, "no server runs", func() bool {
		pids, err := serversIn(filepath.Join(dir, "data"))
		return err == nil && len(pids) == 0
	})
}

func TestAKilledOwnerLeavesNoServerAndTheNextStartWorks(t *testing.T) {
	t.Parallel()
	dir := homeDir(t)
	process := owner(t, dir)
	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = process.Wait() // it was killed
	noServer(t, dir)
	running(t, Config{Dir: dir})
}

func TestAStartRightAfterTheOwnersDeathWorks(t *testing.T) {
	t.Parallel()
	dir := homeDir(t)
	for range 3 {
		process := owner(t, dir)
		if err := process.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = process.Wait() // it was killed
		stop(t, running(t, Config{Dir: dir}))
	}
}

func TestADirectoryOfALiveOwnerIsRefusedWithItsNumber(t *testing.T) {
	t.Parallel()
	dir := homeDir(t)
	process := owner(t, dir)
	inUse := as[*InUseError](t, refused(t, Config{Dir: dir}))
	if inUse.PID != process.Process.Pid {
		t.Errorf("it names process %d, want %d", inUse.PID, process.Process.Pid)
	}
	if text := inUse.Error(); !strings.Contains(text, "kill "+strconv.Itoa(inUse.PID)) || !strings.Contains(text, dir) {
		t.Errorf("no remedy in %q", text)
	}
}

// abandoned starts a server in the home dir that nobody owns. It has no port, which
// somebody else might take meanwhile.
func abandoned(t *testing.T, dir, name string) *process {
	t.Helper()
	home, err := newHome(dir)
	if err != nil {
		t.Fatal(err)
	}
	account, err := chooseAccount(home.data)
	if err != nil {
		t.Fatal(err)
	}
	bin, err := defaultSearch(quiet()).find(bounded(t), "", home)
	if err != nil {
		t.Fatal(err)
	}
	args := arguments(Config{Dir: dir, NoSync: true}, 5432, "off", home)
	for i := range args {
		args[i] = strings.Replace(args[i], "cluster_name="+clusterName, "cluster_name="+name, 1)
		args[i] = strings.Replace(args[i], "listen_addresses="+loopback, "listen_addresses=", 1)
	}
	log, err := openServerLog(home.log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.close()
	cmd := exec.Command(bin.path("postgres"), args...)
	cmd.Dir, cmd.Stderr, cmd.Env = "/", log.file, environment(os.Environ())
	cmd.SysProcAttr = account.attributes()
	p, err := spawn(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.end)
	if err := awaitReady(bounded(t), p, home, log); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestALeftoverServerOfOursIsStopped(t *testing.T) {
	t.Parallel()
	dir := homeDir(t)
	leftover := abandoned(t, dir, clusterName)
	server := running(t, Config{Dir: dir, NoSync: true})
	select {
	case <-leftover.done:
	case <-bounded(t).Done(): // longer than it takes us to hear of an end
		t.Fatal("the leftover still runs")
	}
	if n := query[int](t, server, `SELECT 1`); n != 1 {
		t.Fatal(n)
	}
}

func TestAServerThatSomebodyElseStartedIsNotStopped(t *testing.T) {
	t.Parallel()
	dir := homeDir(t)
	foreign := abandoned(t, dir, "somebody")
	inUse := as[*InUseError](t, refused(t, Config{Dir: dir, NoSync: true}))
	if inUse.PID != foreign.pid() || inUse.Program != "postgres" {
		t.Errorf("it names %s %d, want postgres %d", inUse.Program, inUse.PID, foreign.pid())
	}
	select {
	case <-foreign.done:
		t.Fatal("the server was stopped")
	default:
	}
}

func TestAServerThatEndsByItselfIsNoticedAndStartsAgain(t *testing.T) {
	t.Parallel()
	dir := homeDir(t)
	server := running(t, Config{Dir: dir})
	execute(t, server, `CREATE TABLE kept AS SELECT 42 AS n`)
	if err := syscall.Kill(server.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-server.Exited()
	if err := server.Err(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("Err: %v", err)
	}
	stop(t, server) // nothing left to do, and no error
	if n := query[int](t, running(t, Config{Dir: dir}), `SELECT n FROM kept`); n != 42 {
		t.Fatalf("kept %d, want 42", n)
	}
}

func TestANoteOfAServerWhoseNumberBelongsToAnotherProgramIsNoObstacle(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	first := running(t, Config{Dir: dir, NoSync: true})
	note := filepath.Join(first.home.data, "postmaster.pid")
	text, err := os.ReadFile(note)
	if err != nil {
		t.Fatal(err)
	}
	stop(t, first)

	account, err := chooseAccount(first.home.data)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sleep", "600") // a program of the same user: postgres would take it for its own
	cmd.SysProcAttr = account.attributes()
	other, err := spawn(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.end)
	_, rest, _ := strings.Cut(string(text), "\n")
	if err := os.WriteFile(note, []byte(strconv.Itoa(other.pid())+"\n"+rest), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := account.own(note); err != nil {
		t.Fatal(err)
	}
	running(t, Config{Dir: dir, NoSync: true})
	select {
	case <-other.done:
		t.Fatal("the other program was ended")
	default:
	}
}

package node

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

func TestBackupOnRequestOpensAsANode(t *testing.T) {
	t.Parallel()
	backups := t.TempDir()
	n, c := serve(t, func(cfg *Config) { cfg.BackupDir = backups })
	appendTo(t, c, "s", esdb.NoStream{}, proposals(3)...)
	dir, err := RequestBackup(within(t), n.ConnectionString(), "monday")
	if err != nil || dir != filepath.Join(backups, "monday") {
		t.Fatalf("%s, %v", dir, err)
	}
	for _, name := range []string{"monday", "../elsewhere", "", ".."} {
		if _, err := RequestBackup(within(t), n.ConnectionString(), name); err == nil {
			t.Errorf("backup under the name %q was taken", name)
		}
	}
	if v, err := Verify(within(t), dir, nil); err != nil || v.Events != 3 || v.Streams != 1 {
		t.Errorf("verified %+v, %v", v, err)
	}
	_, again := serve(t, func(cfg *Config) { cfg.Dir = dir })
	if got := revisions(readStream(t, again, "s", esdb.ReadStreamOptions{})); got != "0 1 2" {
		t.Errorf("the backup holds %s", got)
	}
}

func TestBackupOnRequestNeedsADirectoryForIt(t *testing.T) {
	t.Parallel()
	n, _ := serve(t)
	if _, err := RequestBackup(within(t), n.ConnectionString(), "x"); err == nil || !strings.Contains(err.Error(), "no directory") {
		t.Errorf("%v, want a refusal", err)
	}
}

func TestVerifyMakesNothingWhereNothingIs(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "none")
	if _, err := Verify(within(t), dir, nil); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("%v, want an error naming %s", err, dir)
	}
}

func TestScavengeOverTheNodeKeepsReadsAsTheyAre(t *testing.T) {
	t.Parallel()
	n, c := serve(t)
	appendTo(t, c, "s", esdb.NoStream{}, proposals(10)...)
	var m esdb.StreamMetadata
	m.SetMaxCount(2)
	if _, err := c.SetStreamMetadata(within(t), "s", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, m); err != nil {
		t.Fatal(err)
	}
	if done, err := n.Scavenge(within(t)); err != nil || done.Events != 8 {
		t.Errorf("reclaimed %+v, %v", done, err)
	}
	if got := revisions(readStream(t, c, "s", esdb.ReadStreamOptions{})); got != "8 9" {
		t.Errorf("visible: %s", got)
	}
	if v, err := n.Verify(within(t)); err != nil || v.Events != 3 {
		t.Errorf("verified %+v, %v", v, err)
	}
}

func TestTLSNodeTakesOnlyGoodCredentials(t *testing.T) {
	t.Parallel()
	certificate := selfSigned(t)
	n, err := Open(Config{
		Dir: t.TempDir(), TLS: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
		Authenticate: func(user, password string) bool { return user == "ann" && password == "right" },
	})
	if err != nil {
		t.Fatal(err)
	}
	runInTest(t, n)
	at := func(credentials string) *esdb.Client {
		return connect(t, "esdb://"+credentials+n.Addr()+"?tls=true&tlsVerifyCert=false")
	}
	appendTo(t, at("ann:right@"), "s", esdb.NoStream{}, proposals(1)...)
	for credentials, want := range map[string]esdb.ErrorCode{"": esdb.ErrorCodeAccessDenied, "ann:wrong@": esdb.ErrorCodeUnauthenticated} {
		_, err := at(credentials).AppendToStream(within(t), "s", esdb.AppendToStreamOptions{}, proposals(1)...)
		if codeOf(err) != want {
			t.Errorf("with %q: %v, want code %d", credentials, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "wrong") {
			t.Errorf("the password is in the error: %v", err)
		}
	}
}

func TestAuthenticationWithoutTLSIsRefused(t *testing.T) {
	t.Parallel()
	_, err := Open(Config{Dir: t.TempDir(), Authenticate: func(string, string) bool { return true }})
	if err == nil || !strings.Contains(err.Error(), "TLS") {
		t.Errorf("%v, want a refusal", err)
	}
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

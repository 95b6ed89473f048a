package store_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"

	"waybill/events"
	"waybill/events/fault"
	"waybill/events/store"
	"waybill/events/store/storetest"
)

func TestCredentialsAreSentOverTLSAndNeverInTheClear(t *testing.T) {
	t.Parallel()
	heard := make(chan []string, 1)
	f := &fake{append: func(s streams.Streams_AppendServer) error {
		md, _ := metadata.FromIncomingContext(s.Context())
		heard <- md.Get("authorization")
		drain(s)
		return s.SendAndClose(appended(42))
	}}
	certificate, caFile := selfSigned(t)
	secure := f.serve(t, grpc.Creds(credentials.NewServerTLSFromCert(&certificate)))
	for url, want := range map[string]string{
		"esdb://admin:changeit@" + secure + "?tls=true&tlsCaFile=" + caFile:             "Basic YWRtaW46Y2hhbmdlaXQ=",
		"esdb://admin:changeit@" + secure + "?tls=true&tlsVerifyCert=false":             "Basic YWRtaW46Y2hhbmdlaXQ=",
		"esdb://admin:changeit@" + f.serve(t) + "?tls=false":                            "",
		"esdb://" + secure + "?tls=true&tlsCaFile=" + caFile + "&nodePreference=random": "",
	} {
		s := storetest.Open(t, store.Config{URL: url})
		if _, err := s.Append(t.Context(), "a", events.NoStream, storetest.Events(1)); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(<-heard, ","); got != want {
			t.Errorf("%s sent %q, want %q", url, got, want)
		}
	}
}

func TestAServerThatCannotBeTrustedIsNotTalkedTo(t *testing.T) {
	t.Parallel()
	certificate, _ := selfSigned(t)
	f := &fake{append: func(s streams.Streams_AppendServer) error { drain(s); return s.SendAndClose(appended(42)) }}
	address := f.serve(t, grpc.Creds(credentials.NewServerTLSFromCert(&certificate)))
	s := storetest.Open(t, store.Config{URL: "esdb://" + address + "?tls=true", Timeout: 5 * time.Second, AttemptTimeout: 2 * time.Second})
	_, err := s.Append(t.Context(), "a", events.NoStream, storetest.Events(1))
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("got %v, want to hear about the certificate", err)
	}
}

// selfSigned makes a certificate for 127.0.0.1 and a file that vouches for it.
func selfSigned(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tested"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

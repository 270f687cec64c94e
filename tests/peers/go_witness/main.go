// Command go_witness checks a cosigned head, and the request that asked for it, with golang.org/x/mod/sumdb.
//
//	go_witness HEAD LOGKEY WITNESSKEY
//	go_witness -request REQUEST LOGKEY OLDROOT
//
// It prints "ok SIZE" and exits 0, or says what is wrong and exits 1. The key type of cosignatures is not part of that
// module: it is read here from the specification's own words.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.hash }

func (c cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(sig)
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", at, msg)
	return at != 0 && ed25519.Verify(c.key, []byte(signed), sig[8:])
}

func newCosigner(vkey string) (cosigner, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return cosigner{}, errors.New("no verifier key")
	}
	raw, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(raw) != 33 || raw[0] != 4 {
		return cosigner{}, errors.New("no key of type 4")
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), raw...))
	hash := binary.BigEndian.Uint32(sum[:4])
	if fmt.Sprintf("%08x", hash) != parts[1] {
		return cosigner{}, errors.New("another key's ID")
	}
	return cosigner{parts[0], hash, ed25519.PublicKey(raw[1:])}, nil
}

func tree(text string) (tlog.Tree, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return tlog.Tree{}, errors.New("no checkpoint")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

func head(signed []byte, logKey, witnessKey string) (int64, error) {
	log, err := note.NewVerifier(logKey)
	if err != nil {
		return 0, err
	}
	witness, err := newCosigner(witnessKey)
	if err != nil {
		return 0, err
	}
	opened, err := note.Open(signed, note.VerifierList(log, witness))
	if err != nil {
		return 0, err
	}
	if len(opened.Sigs) != 2 || opened.Sigs[1].Name != witness.name {
		return 0, errors.New("not signed by both")
	}
	found, err := tree(opened.Text)
	return found.N, err
}

func request(body []byte, logKey, oldRoot string) (int64, error) {
	top, signed, _ := bytes.Cut(body, []byte("\n\n"))
	lines := strings.Split(string(top), "\n")
	old, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "old "), 10, 64)
	if err != nil {
		return 0, err
	}
	var proof tlog.TreeProof
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return 0, err
		}
		proof = append(proof, hash)
	}
	log, err := note.NewVerifier(logKey)
	if err != nil {
		return 0, err
	}
	opened, err := note.Open(signed, note.VerifierList(log))
	if err != nil {
		return 0, err
	}
	grown, err := tree(opened.Text)
	if err != nil {
		return 0, err
	}
	before, err := tlog.ParseHash(oldRoot)
	if err != nil {
		return 0, err
	}
	return grown.N, tlog.CheckTree(proof, grown.N, grown.Hash, old, before)
}

func main() {
	check, args := head, os.Args[1:]
	if len(args) > 0 && args[0] == "-request" {
		check, args = request, args[1:]
	}
	if len(args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: go_witness [-request] FILE LOGKEY WITNESSKEY|OLDROOT")
		os.Exit(2)
	}
	data, err := os.ReadFile(args[0])
	var size int64
	if err == nil {
		size, err = check(data, args[1], args[2])
	}
	if err != nil {
		fmt.Println("bad:", err)
		os.Exit(1)
	}
	fmt.Println("ok", size)
}

// Command go_tlog audits an exported log with golang.org/x/mod/sumdb, code that the log's authors did not write.
//
//	go_tlog DIR VKEY
//
// It prints "ok SIZE" and exits 0, or says what is wrong and exits 1. It checks the checkpoint's signature, that the
// tiles give its root, that every entry stands in the tree, every signed head, and that each head grew into the next.
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// folder reads tiles where tlog-tiles puts them: the height is not part of the path.
type folder string

func (f folder) Height() int { return height }

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var rows [][]byte
	for _, tile := range tiles {
		row, err := f.read(strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (f folder) read(path string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(f), filepath.FromSlash(path)))
}

// cut splits a run of records, each after its length as a big-endian uint16.
func cut(data []byte) ([][]byte, error) {
	var records [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, errors.New("ends inside a record")
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		records = append(records, data[2:end])
		data = data[end:]
	}
	return records, nil
}

// open checks a signed head and returns its tree.
func open(signed []byte, key note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open(signed, note.VerifierList(key))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != key.Name() || lines[3] != "" {
		return tlog.Tree{}, errors.New("not a checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

func entries(f folder, tree tlog.Tree, hashes tlog.HashReader) error {
	for start := int64(0); start < tree.N; start += 1 << height {
		tile := tlog.Tile{H: height, L: -1, N: start >> height, W: 1 << height}
		if tree.N-start < 1<<height {
			tile.W = int(tree.N - start)
		}
		bundle, err := f.read(strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1))
		if err != nil {
			return err
		}
		records, err := cut(bundle)
		if err != nil || len(records) != tile.W {
			return fmt.Errorf("bundle at %d holds %d records, not %d: %v", start, len(records), tile.W, err)
		}
		for at, record := range records {
			index := start + int64(at)
			proof, err := tlog.ProveRecord(tree.N, index, hashes)
			if err == nil {
				err = tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(record))
			}
			if err != nil {
				return fmt.Errorf("entry %d: %w", index, err)
			}
		}
	}
	return nil
}

func heads(f folder, key note.Verifier, tree tlog.Tree, hashes tlog.HashReader) error {
	data, err := f.read("heads")
	if err != nil {
		return err
	}
	signed, err := cut(data)
	if err != nil {
		return fmt.Errorf("heads: %w", err)
	}
	last := tlog.Tree{}
	for number, one := range signed {
		head, err := open(one, key)
		if err != nil {
			return fmt.Errorf("head %d: %w", number, err)
		}
		if head.N < last.N || head.N > tree.N {
			return fmt.Errorf("head %d: size %d is out of order", number, head.N)
		}
		if last.N > 0 {
			proof, err := tlog.ProveTree(head.N, last.N, hashes)
			if err == nil {
				err = tlog.CheckTree(proof, head.N, head.Hash, last.N, last.Hash)
			}
			if err != nil {
				return fmt.Errorf("head %d: %w", number, err)
			}
		}
		last = head
	}
	if last != tree {
		return errors.New("the last head is not the checkpoint")
	}
	return nil
}

func run(f folder, vkey string) (int64, error) {
	key, err := note.NewVerifier(vkey)
	if err != nil {
		return 0, err
	}
	signed, err := f.read("checkpoint")
	if err != nil {
		return 0, err
	}
	tree, err := open(signed, key)
	if err != nil {
		return 0, fmt.Errorf("checkpoint: %w", err)
	}
	hashes := tlog.TileHashReader(tree, f)
	root, err := tlog.TreeHash(tree.N, hashes)
	if err != nil {
		return 0, err
	}
	if root != tree.Hash {
		return 0, errors.New("the tiles do not give the checkpoint's root")
	}
	if err := entries(f, tree, hashes); err != nil {
		return 0, err
	}
	return tree.N, heads(f, key, tree, hashes)
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: go_tlog DIR VKEY")
		os.Exit(2)
	}
	size, err := run(folder(os.Args[1]), os.Args[2])
	if err != nil {
		fmt.Println("bad:", err)
		os.Exit(1)
	}
	fmt.Println("ok", size)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"golang.org/x/sys/unix"
)

const outOfDiskSpace = 14031

// smallDisk mounts a disk in memory of some MB on a folder. Only root may; file size limits need nobody's permission.
func smallDisk(folder string, mb int) (grow func() error, unmount func(), err error) {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, nil, err
	}
	if err := unix.Mount("tmpfs", folder, "tmpfs", 0, fmt.Sprintf("size=%dm", mb)); err != nil {
		if os.Geteuid() != 0 || errors.Is(err, unix.EPERM) {
			return nil, nil, leftOut("mounting a small disk is not permitted here")
		}
		return nil, nil, fmt.Errorf("mount a small disk: %w", err)
	}
	grow = func() error { return unix.Mount("tmpfs", folder, "tmpfs", unix.MS_REMOUNT, "size=96m") }
	return grow, func() { _ = unix.Unmount(folder, unix.MNT_DETACH) }, nil
}

// diskFull puts the data onto a small disk and lets it grow later.
func diskFull(ctx context.Context, e *env) (string, error) {
	grow, unmount, err := smallDisk(e.path("mongod"), 8)
	if err != nil {
		return "", err
	}
	defer unmount()
	m, err := startMongod(ctx, e)
	if err != nil {
		return "", err
	}
	return m.runOutOfSpace(ctx, grow)
}

// sizeLimit forbids the process files above a size and raises it later.
func sizeLimit(ctx context.Context, e *env) (string, error) {
	m, err := startMongod(ctx, e)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(e.path("mongod/kreislauf.bolt"))
	if err != nil {
		return "", err
	}
	if err := limitFiles(m.PID(), uint64(info.Size())+17<<20); err != nil {
		return "", err
	}
	return m.runOutOfSpace(ctx, func() error { return limitFiles(m.PID(), 1<<40) })
}

// limitFiles forbids a process files above a size.
func limitFiles(pid int, bytes uint64) error {
	l := unix.Rlimit{}
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &l); err != nil {
		return err
	}
	l.Cur = min(bytes, l.Max)
	return unix.Prlimit(pid, unix.RLIMIT_FSIZE, &l, nil)
}

// runOutOfSpace writes until the disk is full, looks at what still works, makes space, and goes on without a restart.
func (m *mongoProcess) runOutOfSpace(ctx context.Context, makeSpace func() error) (string, error) {
	defer m.close()
	if err := m.index(ctx); err != nil {
		return "", err
	}
	acked := map[string]bool{}
	n := 0
	write := func() error {
		n++
		id := fmt.Sprint("w-", n)
		err := m.write(ctx, id)
		if err == nil {
			acked[id] = true
		}
		return err
	}
	var err error
	for began := time.Now(); err == nil && time.Since(began) < time.Minute; {
		_, err = m.docs.Database().Collection("ballast").InsertOne(ctx, bson.D{{Key: "pad", Value: make([]byte, 64<<10)}})
		if err == nil {
			err = write()
		}
	}
	refused := 0
	for tries := 0; refused < 20; tries++ { // a small write may still find a page; each that does not must say why
		err = write()
		if ce, ok := errors.AsType[mongo.ServerError](err); ok && ce.HasErrorCode(outOfDiskSpace) {
			refused++
		} else if err != nil {
			return "", fmt.Errorf("a full disk is answered with: %w", err)
		} else if tries > 20_000 {
			return "", errors.New("the disk does not get full")
		}
	}
	clearError := err
	if err := m.check(ctx, acked); err != nil {
		return "", fmt.Errorf("reads on a full disk: %w", err)
	}
	if err := makeSpace(); err != nil {
		return "", fmt.Errorf("make space: %w", err)
	}
	for range 200 {
		if err := write(); err != nil {
			return "", fmt.Errorf("with space again: %w", err)
		}
	}
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		if err := m.check(ctx, acked); err != nil {
			return "", err
		}
		if err := m.Stop(sig); err != nil {
			return "", err
		}
		if err := m.restart(ctx, acked); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d writes refused (%v), reads went on, %d writes kept, it recovered without a restart", refused, clearError, len(acked)), m.Stop(syscall.SIGTERM)
}

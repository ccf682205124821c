package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/metrics"
	"syscall"
	"time"
)

// A child is one process of this binary in a role.
type child struct {
	role, addr string
	cmd        *exec.Cmd
	ask        io.WriteCloser
	replies    *bufio.Reader
}

// startChild starts a process in a role and waits until it listens. binary is
// another version of this one, "" for this one.
func startChild(ctx context.Context, binary, role string, args ...string) (c *child, err error) {
	if binary == "" {
		if binary, err = os.Executable(); err != nil {
			return nil, err
		}
	}
	c = &child{role: role, cmd: exec.CommandContext(ctx, binary, append([]string{"role", role}, args...)...)}
	c.cmd.Stderr = os.Stderr
	c.cmd.WaitDelay = 5 * time.Second
	if c.ask, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.replies = bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	if _, err := fmt.Fscanln(c.replies, &c.addr); err != nil {
		c.stop()
		return nil, fmt.Errorf("start %s: it did not say where it listens: %w", role, err)
	}
	return c, nil
}

// stop ends the process: it goes when its standard input ends.
func (c *child) stop() {
	_ = c.ask.Close()
	_ = c.cmd.Wait()
}

// A usage is what a process has used since it began.
type usage struct {
	cpu  time.Duration // user and system
	held int64         // calls that flyball held; of the upstream, calls it was asked
	heap uint64        // bytes taken from the heap
}

// usage asks the process what it has used.
func (c *child) usage() (u usage, err error) {
	if _, err = fmt.Fprintln(c.ask); err == nil {
		_, err = fmt.Fscanln(c.replies, &u.cpu, &u.held, &u.heap)
	}
	if err != nil {
		err = fmt.Errorf("ask %s what it has used: %w", c.role, err)
	}
	return u, err
}

// usageNow writes this process's usage as usage reads it.
func usageNow(held int64) string {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return err.Error()
	}
	heap := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(heap)
	return fmt.Sprint(r.Utime.Nano()+r.Stime.Nano(), " ", held, " ", heap[0].Value.Uint64())
}

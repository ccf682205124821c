package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// An absentError says that a server is not installed here.
type absentError struct{ program, from string }

func (e absentError) Error() string {
	return e.program + ", which is not installed (Debian has it in " + e.from + ")"
}

// startNginx starts nginx with proxy_cache, told to keep what Zendesk says is
// not to be kept, and the entries of credentials apart.
func startNginx(ctx context.Context, folder, upstream string) (*cacher, error) {
	addr, err := freePort()
	if err != nil {
		return nil, err
	}
	config := fmt.Sprintf(`worker_processes 2; daemon off; pid %[1]s/nginx.pid; error_log %[1]s/nginx.log;
events { worker_connections 1024; }
http {
	access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; keepalive_timeout 75s; open_file_cache max=1000;
	client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;
	proxy_cache_path %[1]s/nginx-cache keys_zone=kept:10m max_size=64m inactive=1h;
	upstream account { server %[3]s; keepalive 64; }
	server {
		listen %[2]s;
		location / {
			proxy_pass http://account; proxy_http_version 1.1; proxy_set_header Connection "";
			proxy_cache kept; proxy_cache_key "$http_authorization$request_uri"; proxy_cache_valid 200 1h;
			proxy_ignore_headers Cache-Control Expires Set-Cookie Vary; proxy_hide_header Set-Cookie;
		}
	}
}
`, folder, addr, upstream)
	file := filepath.Join(folder, "nginx.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	return startRival(ctx, "nginx", "nginx-light", addr, folder, "nginx", "-c", file, "-p", folder)
}

// startVarnish starts Varnish, told the same.
func startVarnish(ctx context.Context, folder, upstream string) (*cacher, error) {
	addr, err := freePort()
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(upstream)
	if err != nil {
		return nil, err
	}
	config := fmt.Sprintf(`vcl 4.1;
backend account { .host = "%s"; .port = "%s"; }
sub vcl_recv { return (hash); }
sub vcl_hash { hash_data(req.url); hash_data(req.http.Authorization); return (lookup); }
sub vcl_backend_response { unset beresp.http.Set-Cookie; unset beresp.http.Vary; set beresp.ttl = 1h; return (deliver); }
`, host, port)
	file := filepath.Join(folder, "account.vcl")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil { //nolint:gosec // Varnish reads it as another user
		return nil, err
	}
	return startRival(ctx, "Varnish", "varnish", addr, folder, "varnishd", "-F", "-a", addr, "-f", file,
		"-s", "malloc,64m", "-n", filepath.Join(folder, "varnish"), "-T", "none")
}

func startRival(ctx context.Context, name, from, addr, folder string, program string, args ...string) (*cacher, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		if path, err = exec.LookPath("/usr/sbin/" + program); err != nil {
			return nil, absentError{program, from}
		}
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = &said, &said, folder
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	stop := func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}
	for range 100 {
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			_ = conn.Close()
			return &cacher{name: name, addr: addr, stop: stop, cpu: func() (time.Duration, error) { return familyCPU(cmd.Process.Pid) }}, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	stop()
	return nil, fmt.Errorf("start %s: it does not listen on %s: %s", name, addr, said.String())
}

// ticksPerSecond is in what /proc counts CPU time, on every Linux.
const ticksPerSecond = 100

// familyCPU is what a process and all below it have used.
func familyCPU(root int) (time.Duration, error) {
	type process struct {
		parent int
		ticks  int64
	}
	all := map[int]process{}
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("there is no /proc to read CPU times from: %w", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// The name is in brackets and may hold anything.
		pid, _, _ := strings.Cut(string(text), " ")
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if len(fields) < 15 {
			continue
		}
		n, _ := strconv.Atoi(pid)
		parent, _ := strconv.Atoi(fields[1])
		user, _ := strconv.ParseInt(fields[11], 10, 64)
		system, _ := strconv.ParseInt(fields[12], 10, 64)
		all[n] = process{parent, user + system}
	}
	var ticks int64
	for pid, p := range all {
		for at := pid; at > 1; at = all[at].parent {
			if at == root {
				ticks += p.ticks
				break
			}
		}
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond, nil
}

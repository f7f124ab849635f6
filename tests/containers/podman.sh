# A podman of the tests' own, in a network namespace of its own; part of tests/run.

# A podman whose images, containers, networks and firewall rules nobody else sees.
set_up_podman() {
  containers=$(mktemp -d)
  namespace=barometer-$$
  as_root ip netns add "$namespace"
  as_root ip -netns "$namespace" link set lo up
  cat >"$containers/containers.conf" <<END
[containers]
# Podman would raise the limits, which not every machine lets even root do.
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
# Crun refuses machines that have both versions of cgroups.
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
static_dir = "$containers/static"
tmp_dir = "$containers/tmp"
volume_path = "$containers/volumes"
[network]
# Names of containers are resolved by it.
network_backend = "netavark"
network_config_dir = "$containers/networks"
END
  cat >"$containers/storage.conf" <<END
[storage]
driver = "overlay"
graphroot = "$containers/storage"
runroot = "$containers/run"
END
  mkdir "$containers/bin"
  local sudo=
  ((EUID == 0)) || sudo="sudo -n"
  cat >"$containers/bin/podman" <<END
#!/bin/sh
exec $sudo nsenter --net=/run/netns/$namespace \\
  env CONTAINERS_CONF=$containers/containers.conf CONTAINERS_STORAGE_CONF=$containers/storage.conf \\
  $(command -v podman) "\$@"
END
  chmod +x "$containers/bin/podman"
  PATH=$containers/bin:$PATH
}

remove_podman() {
  podman rm --all --force --time 0 >/dev/null || true
  podman network rm --force barometer >/dev/null || true
  as_root ip netns delete "$namespace" || true
  # A build that was broken off leaves its file system mounted.
  as_root umount --recursive --quiet "$containers/storage/overlay" || true
  as_root rm -rf "$containers"
}

# Runs a command, as who runs this, where only the containers and what serves them are.
in_network() {
  local environment
  mapfile -t -d '' environment < <(env -0)
  as_root nsenter --net="/run/netns/$namespace" -- setpriv --reuid="$EUID" --regid="$(id -g)" --init-groups -- \
    env -i "${environment[@]}" "$@"
}

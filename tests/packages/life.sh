# Runs in a Debian root: the life of the package, as dpkg leads it. The first that is not so ends it.
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
trap 'echo "line $LINENO: not so"' ERR

# Everything that could be left over; what other programs keep their books in is not ours.
files() {
	find / -xdev \( -path /proc -o -path /var/lib/dpkg -o -path /var/log -o -path /tmp -o -path /srv \) -prune -o -print |
		grep -v -e '^/etc/\(passwd\|group\|shadow\|gshadow\|subuid\|subgid\)-\?$' -e '^/etc/.pwd.lock$' | sort
	find /var/log -name 'teleport*'
}
is() {
	[ "$2" = "$3" ] || {
		echo "$1: $2, not $3"
		exit 1
	}
}
of() { stat -c '%a %U:%G' "$1"; }

files >/srv/before
version=$(dpkg-deb -f /teleport-email.deb Version)

dpkg -i /teleport-email.deb >/srv/told 2>&1 || { cat /srv/told; exit 1; }
is "the configuration" "$(of /etc/teleport-email.toml)" "640 root:teleport-email"
is "the state" "$(of /var/lib/teleport-email)" "750 teleport-email:teleport-email"
is "the log's directory" "$(of /var/log/teleport-email)" "750 teleport-email:teleport-email"
is "the program" "$(teleport-email version | cut -d' ' -f1-2)" "teleport-email v${version%%-*}"
is "what it begins with" "$(cat /etc/teleport-email.toml)" "$(teleport-email configure)"
is "who can log in as it" "$(getent passwd teleport-email | cut -d: -f7)" /usr/sbin/nologin
runuser -u teleport-email -- teleport-email check --offline >/srv/told 2>&1 && exit 1
grep -q '<angle brackets>\|placeholder\|<' /srv/told # as it is it cannot be used, and says so as the service's user
[ ! -e /etc/systemd/system/multi-user.target.wants/teleport-email.service ]
find /usr/lib/teleport-email -name '*.pyc' | grep -q reconcile
is "completion" "$(bash -c '. /usr/share/bash-completion/completions/teleport-email
	COMP_WORDS=(teleport-email expl) COMP_CWORD=1; _teleport_email; echo "${COMPREPLY[@]}"')" explain
is "both conffiles" "$(dpkg-query -W -f '${Conffiles}' teleport-email | awk '{print $1}' | sort | xargs)" \
	"/etc/logrotate.d/teleport-email /etc/teleport-email.toml"

# What an administrator made of it.
sed -i 's/^severity = "info"/severity = "debug"/' /etc/teleport-email.toml
chmod 600 /etc/teleport-email.toml && chown teleport-email /etc/teleport-email.toml
echo secret >/var/lib/teleport-email/smtp_password
mkdir -p /etc/systemd/system/multi-user.target.wants
ln -s /usr/lib/systemd/system/teleport-email.service /etc/systemd/system/multi-user.target.wants/

# A newer one, with a module less and a configuration to begin with that is another.
dpkg-deb -R /teleport-email.deb /srv/newer
sed -i "s/^Version: .*/Version: $version+next/" /srv/newer/DEBIAN/control
echo "# new in this version" >>/srv/newer/etc/teleport-email.toml
rm /srv/newer/usr/lib/teleport-email/lib/python*/site-packages/teleport_email/sandbox/demo.py
dpkg-deb -Znone -b /srv/newer /srv/newer.deb >/dev/null
for package in /srv/newer.deb /teleport-email.deb; do # there, and back
	dpkg --force-confold -i $package >/srv/told 2>&1 || { cat /srv/told; exit 1; }
	grep -q '^severity = "debug"' /etc/teleport-email.toml
	is "the configuration, upgraded" "$(of /etc/teleport-email.toml)" "600 teleport-email:teleport-email"
	teleport-email version >/dev/null
	is "what is compiled of a module that only the older has" \
		"$(find /usr/lib/teleport-email -name 'demo.*.pyc' | wc -l)" "$([ $package = /srv/newer.deb ] && echo 0 || echo 1)"
done
[ -L /etc/systemd/system/multi-user.target.wants/teleport-email.service ]
[ -e /var/lib/teleport-email/smtp_password ]

dpkg -r teleport-email >/srv/told 2>&1 || { cat /srv/told; exit 1; }
[ ! -e /usr/lib/teleport-email ]
[ -e /etc/teleport-email.toml ] && [ -e /var/lib/teleport-email/smtp_password ]

dpkg -P teleport-email >/srv/told 2>&1 || { cat /srv/told; exit 1; }
rm -f /etc/teleport-email.toml.dpkg-* 
files >/srv/after
diff /srv/before /srv/after
getent passwd teleport-email >/dev/null
! grep -i warning /srv/told
echo "  ok"

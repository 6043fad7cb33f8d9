# The manager: unprivileged, on a read-only file system, without a Docker CLI. Made from an unpacked package
# (npm pack), because a checkout has no dist/:
#
#   docker build -t fairlead-manager .
#
# BASE is any image with Node 26. A folder node_modules in the package (npm ci --omit=dev) is taken as it is.
ARG BASE=node:26-bookworm-slim

FROM ${BASE} AS packages
WORKDIR /opt/fairlead
COPY . .
RUN ["node", "-e", "if (!require('node:fs').existsSync('node_modules')) require('node:child_process').execSync('cp dist/package-lock.json . && npm ci --omit=dev --ignore-scripts --no-audit --no-fund', { stdio: 'inherit' })"]

FROM ${BASE}
# Whoever it is, it is not root, and nothing of the image is its own but the place for its data.
COPY --from=packages /opt/fairlead/node_modules /opt/fairlead/node_modules
COPY package.json LICENSE /opt/fairlead/
COPY dist /opt/fairlead/dist
# The outer folder first: made on the way to the inner one it would be root's, and nothing could be restored beside that.
COPY --chown=10001:10001 deploy/empty /var/lib/fairlead-manager
COPY --chown=10001:10001 deploy/empty /var/lib/fairlead-manager/manager
USER 10001:10001
ENV FAIRLEAD_DATA=/var/lib/fairlead-manager FAIRLEAD_LISTEN=0.0.0.0:7400 MALLOC_ARENA_MAX=1
WORKDIR /var/lib/fairlead-manager
VOLUME /var/lib/fairlead-manager
EXPOSE 7400
STOPSIGNAL SIGTERM
# As in deploy/systemd: no child processes, no files but its own.
ENTRYPOINT ["node", "--max-semi-space-size=4", "--disable-warning=ExperimentalWarning", \
  "--permission", "--allow-net", "--allow-fs-read=/opt/fairlead", \
  "--allow-fs-read=/var/lib/fairlead-manager/manager", "--allow-fs-write=/var/lib/fairlead-manager/manager", \
  "/opt/fairlead/dist/manager/manager.js"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:7400/health/ready').then(answer => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]

# Adds R and its kernel to a base image, of Debian's packages: R 4.2 where the base is made of Debian 12.
#
#   docker build --file notebooks/base/Dockerfile.r --build-arg BASE=registry.example.org/notebooks/base:1 \
#     --tag registry.example.org/notebooks/r:1 notebooks/base
#
# Packages of CRAN are compiled; libraries that they need stand in a project's apt.txt. PACKAGED may name an image that is
# made of BASE and has R and IRkernel already, of another version for example.
ARG BASE
ARG PACKAGED=packaged
FROM ${BASE} AS packaged
USER 0
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      r-base-core r-cran-irkernel build-essential gfortran libcurl4-openssl-dev libssl-dev libxml2-dev \
 && rm -rf /var/lib/apt/lists/*

FROM ${PACKAGED}
USER 1000:1000
# What a project installs comes before what Debian brings. IRkernel::installspec() wants a server that it can ask.
ENV R_LIBS_USER=/opt/rlibs
RUN mkdir -p /opt/env/share/jupyter/kernels/ir \
 && printf '{"argv": ["%s", "--slave", "-e", "IRkernel::main()", "--args", "{connection_file}"], "display_name": "R", "language": "R"}\n' \
      "$(command -v R)" > /opt/env/share/jupyter/kernels/ir/kernel.json

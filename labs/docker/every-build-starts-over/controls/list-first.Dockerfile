FROM registry.example/shop/toolchain:1
COPY src/deps.lock /src/deps.lock
RUN ["/bin/sh", "/tools/install"]
COPY src /src
RUN ["/bin/sh", "/tools/assemble"]
ENV CONFIG=/app/page.conf

FROM registry.example/shop/toolchain:1
COPY deps /deps
COPY src /src
RUN ["/bin/sh", "-c", "cat /src/deps.lock > /deps/installed"]
RUN ["/bin/sh", "/tools/assemble"]
ENV CONFIG=/app/page.conf

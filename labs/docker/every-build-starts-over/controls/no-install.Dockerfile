FROM registry.example/shop/toolchain:1
COPY src /src
RUN ["/bin/sh", "-c", "mkdir -p /deps && cat /src/deps.lock > /deps/installed"]
RUN ["/bin/sh", "/tools/assemble"]
ENV CONFIG=/app/page.conf

FROM registry.example/shop/toolchain:1
COPY src/deps.lock /src/deps.lock
RUN ["/bin/sh", "-c", "mkdir -p /deps && cat /src/deps.lock > /deps/installed && cat /src/deps.lock > /deps/build-id"]
COPY src /src
RUN ["/bin/sh", "/tools/assemble"]
ENV CONFIG=/app/page.conf

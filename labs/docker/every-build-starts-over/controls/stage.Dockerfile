FROM registry.example/shop/toolchain:1 AS deps
COPY src/deps.lock /src/deps.lock
RUN ["/bin/sh", "/tools/install"]

FROM registry.example/shop/toolchain:1
COPY src /src
COPY --from=deps /deps /deps
RUN ["/bin/sh", "/tools/assemble"]
ENV CONFIG=/app/page.conf

FROM registry.example/shop/toolchain:1 AS build
COPY src /src
RUN ["/bin/sh", "-c", "mkdir -p /app && cat /src/page.txt > /app/page.conf"]

FROM registry.example/shop/web:${version}
COPY --from=build /app /app
ENV CONFIG=/app/page.conf

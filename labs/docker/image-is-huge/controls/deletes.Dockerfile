FROM registry.example/shop/toolchain:1
COPY src /src
RUN ["/bin/sh", "-c", "mkdir -p /app && cat /src/page.txt > /app/page.conf"]
RUN ["/bin/sh", "-c", "rm -r /toolchain && rm -r /src"]
ENV CONFIG=/app/page.conf
